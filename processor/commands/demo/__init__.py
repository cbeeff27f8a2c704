"""``run.sh demo``: the real daemon between two DynamoDB Local servers, beside a live workload."""
