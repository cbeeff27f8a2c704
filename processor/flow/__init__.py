"""Time and threads: how long to wait, how often to try, how many at once, how fast."""
