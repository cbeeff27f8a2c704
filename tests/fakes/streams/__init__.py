"""A source with a stream: simulated, recorded, or record by record."""
