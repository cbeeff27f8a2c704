"""How a task stands: gathered from tables, stream and leases, and judged; it reads, and changes nothing."""
