"""Attribute values of our own rows of the task table: to DynamoDB JSON, and back. Pure."""

from __future__ import annotations

from typing import Any


def typed(value: str | int | bool | dict[str, Any]) -> dict[str, Any]:  # noqa: FBT001  # a value, no switch
    """A text, a whole number, a flag, or a map of these by their names, as DynamoDB JSON; what is None is left out."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, dict):
        return {"M": {name: typed(each) for name, each in value.items() if each is not None}}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def plain(value: dict[str, Any]) -> Any:
    """The same, back; anything else is what DynamoDB's own library made of it."""
    if "M" in value:
        return {name: plain(each) for name, each in value["M"].items()}
    return int(value["N"]) if "N" in value else next(iter(value.values()), None)
