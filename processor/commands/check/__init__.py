"""``run.sh check``: whether a start would find everything as it must be."""
