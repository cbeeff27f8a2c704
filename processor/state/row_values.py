"""Attribute values of our own rows of the task table: to DynamoDB JSON, and back. Pure."""

from __future__ import annotations

from typing import Any


def typed(value: Any) -> dict[str, Any]:
    """A text, a number, a flag, or a list or map of these, as DynamoDB JSON; what is None in a map is left out."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, dict):
        return {"M": {name: typed(each) for name, each in value.items() if each is not None}}
    if isinstance(value, (list, tuple)):
        return {"L": [typed(each) for each in value]}
    return {"N": str(value)} if isinstance(value, (int, float)) else {"S": value}


def plain(value: dict[str, Any]) -> Any:
    """The same, back; anything else is what DynamoDB's own library made of it."""
    if "M" in value:
        return {name: plain(each) for name, each in value["M"].items()}
    if "L" in value:
        return [plain(each) for each in value["L"]]
    if "N" in value:
        number = value["N"]
        return float(number) if set(number) & set(".eE") else int(number)
    return next(iter(value.values()), None)
