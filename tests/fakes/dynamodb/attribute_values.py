"""Attribute values: their size, a key's place, and the form in which boto3 hands them over."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from tests.fakes.streams.stream_record import Item

HASH_BITS = 32


def wire(item: Item) -> Item:
    """``item`` as it goes over the wire: binary as base64. Text in a binary's place is taken for base64."""
    return {name: _each(value, _encoded) for name, value in item.items()}


def parsed(item: Item) -> Item:
    """``item`` as boto3 gives it: binary as bytes."""
    return {name: _each(value, base64.b64decode) for name, value in item.items()}


def size_bytes(item: Item) -> int:
    """What DynamoDB counts for an item of the wire (developer guide, "DynamoDB item sizes and formats")."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def place(value: dict[str, Any]) -> int:
    """Where a partition key's value lies, from 0 to 2**HASH_BITS - 1."""
    ((kind, content),) = value.items()
    digest = hashlib.blake2b(f"{kind}:{content}".encode(), digest_size=HASH_BITS // 8).digest()
    return int.from_bytes(digest, "big")


def _each(value: dict[str, Any], of_binary: Any) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: of_binary(content)}
    if kind == "BS":
        return {kind: [of_binary(each) for each in content]}
    if kind == "L":
        return {kind: [_each(each, of_binary) for each in content]}
    if kind == "M":
        return {kind: {name: _each(each, of_binary) for name, each in content.items()}}
    return value


def _encoded(content: bytes | str) -> str:
    return content if isinstance(content, str) else base64.b64encode(content).decode()


def _size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "L":
        return 3 + sum(1 + _size(each) for each in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _size(each) for name, each in content.items())
    if kind in ("SS", "NS", "BS"):
        return sum(_SCALARS[kind[0]](each) for each in content)
    return _SCALARS[kind](content)


def _number_size(content: str) -> int:
    digits = content.partition("E")[0].lstrip("-").replace(".", "").strip("0")
    return 1 + (len(digits) + 1) // 2 + content.startswith("-")


_SCALARS: dict[str, Callable[[Any], int]] = {
    "S": lambda content: len(content.encode()),
    "N": _number_size,
    "B": lambda content: len(content) * 3 // 4 - content.count("="),
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
}
