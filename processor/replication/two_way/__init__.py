"""Two tables that applications write to: what goes each way, whose write it was, and which of two is kept."""
