"""The daemon's Java, part by part."""
