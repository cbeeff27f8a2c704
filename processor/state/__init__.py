"""What KCL and this program keep in tables and files about a task: leases, its row, a copy's rows, holds."""
