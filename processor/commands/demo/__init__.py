"""``run.sh demo``: the real daemon between two DynamoDB Local servers, with somebody writing."""
