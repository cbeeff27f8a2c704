"""Changes that are set aside by the user's choice: what is kept of each, and where."""
