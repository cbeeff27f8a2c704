"""What the task makes of the source's items: which of them stand at the destination, and what of each."""
