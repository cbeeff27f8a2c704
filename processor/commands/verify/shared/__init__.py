"""run.sh verify --shared: one comparison by any number of machines, each of which reports the whole."""
