"""``run.sh policy``: the least that IAM must allow, for each command, as policies to paste."""
