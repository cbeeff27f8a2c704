"""A copy by DynamoDB's own export to a bucket and import from it."""
