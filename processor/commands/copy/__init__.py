"""``run.sh copy``: what the source table holds, written to the destination, so that replication can go on."""
