"""Who is told when a task's health changes: what counts as a change, what is said of it, and how it gets there."""
