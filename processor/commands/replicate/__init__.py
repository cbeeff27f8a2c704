"""``run.sh FILE``: waits until everything is ready, then becomes the daemon."""
