"""Tables and items as such: read, scanned, described, compared, measured."""
