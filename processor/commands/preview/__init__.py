"""``run.sh preview``: what the settings make of some of the source's items; it reads, and changes nothing."""
