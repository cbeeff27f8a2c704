"""``run.sh verify``: whether the destination equals the source, where it doesn't, and on demand that it does."""
