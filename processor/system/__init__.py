"""What the operating system gives: files that are ours alone, signals, memory, and this program's own place."""
