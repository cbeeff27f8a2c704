"""Metrics, and who receives them."""
