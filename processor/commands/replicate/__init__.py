"""``run.sh FILE``: waits until all is ready, and becomes the daemon."""
