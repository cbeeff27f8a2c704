"""Time and threads: how long to wait, how often to try again, how many at once, how fast."""
