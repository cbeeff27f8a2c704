"""The command line: which commands and options there are, what was given, and the exit status that comes of it."""
