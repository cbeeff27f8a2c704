"""``run.sh status``: how a task stands, seen from any machine; it reads, and changes nothing."""
