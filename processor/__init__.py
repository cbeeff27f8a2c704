"""A DynamoDB table kept equal to another one, in real time: see docs/how-it-works.md for the map."""

__version__ = "0.1.0"
