"""``run.sh console``: a live page of one or many tasks, for a browser; it reads, and changes nothing."""
