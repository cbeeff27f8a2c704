"""Condition expressions, answered by DynamoDB Local and by ours: both must say the same."""
