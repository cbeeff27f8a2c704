"""``run.sh FILE`` or ``DIRECTORY``: waits until all is ready, then becomes the daemon, and keeps the tasks of many."""
