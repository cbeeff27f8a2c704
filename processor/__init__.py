"""A DynamoDB table kept equal to another one, in real time: docs/rooms.md has the map."""

__version__ = "0.1.0"
