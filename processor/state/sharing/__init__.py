"""Work that processes on any machines share: who is at it, who has which part, and who has ended."""
