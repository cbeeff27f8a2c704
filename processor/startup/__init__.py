"""From a command to the running daemon: everything is looked at, then Java takes over."""
