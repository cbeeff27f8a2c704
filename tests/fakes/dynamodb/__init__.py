"""Tables: in memory, recorded, or swallowing everything."""
