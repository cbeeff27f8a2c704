"""AWS's other services and its IAM."""
