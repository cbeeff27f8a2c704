"""What is kept of a task in tables and files: leases, the task's row, a copy's rows, shards that are held."""
