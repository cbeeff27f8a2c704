"""Tables and their items as such: read, scanned, described, compared, measured."""
