"""What stands between a command and the running daemon: looks at everything, then hands over to Java."""
