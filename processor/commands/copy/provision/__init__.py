"""What a copy needs to be there: the destination, made as the source is, and the source's stream, turned on."""
