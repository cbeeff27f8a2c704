"""A task's settings and its dead letters."""
