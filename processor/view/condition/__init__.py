"""DynamoDB's condition expressions: parsed, and asked of an item as DynamoDB itself would answer."""
