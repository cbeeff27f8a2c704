"""The two-way protocol, in every order of events."""
