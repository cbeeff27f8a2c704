"""A record's path, from the daemon's pipe to the destination, and back to the checkpoint."""
