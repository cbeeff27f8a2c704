"""What stands between two programs, and what goes wrong there."""
