"""Looks after a replica by itself: makes it, copies again what was lost, compares, and says how it stands."""
