"""``run.sh redrive``: the keys of dead letters, brought up to date from the source table."""
