"""AWS's library, and what stands below it where its own way costs too much."""
