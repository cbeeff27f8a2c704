"""run.sh unmark: the markers of a two-way replication that is over, removed from the destination's items."""
