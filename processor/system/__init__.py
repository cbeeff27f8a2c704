"""What the operating system gives: files that are ours alone, signals, memory, and where this program lies."""
