"""The operands of a condition expression: document paths, values, sizes; and what each is for an item. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from processor.flow import shapes
from processor.view.condition.values import Value, size_of, value_of

# An item's attributes, each as DynamoDB JSON.
Item = Mapping[str, msgspec.Raw]
# A name in a map, or an index in a list.
Path = Sequence[str | int]
_decode = shapes.decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """One operand.

    ``get`` returns its value for an item, or None if the item has none. ``kind`` is its type where that is known
    without an item. ``path`` is that of a document path, ``constant`` the value of a ``:name``; each is None otherwise.
    ``function`` is the name of the function whose result it is, or empty.
    """

    get: Callable[[Item], Value | None]
    position: int
    kind: str | None = None
    path: Path | None = None
    constant: Value | None = None
    function: str = ""


def of_value(value: Value, position: int) -> Operand:
    """A ``:value``."""
    return Operand(get=lambda _: value, position=position, kind=value[0], constant=value)


def of_path(path: Path, position: int) -> Operand:
    """What stands at a document path."""
    top, *below = path
    return Operand(get=_nested(str(top), below) if below else _top(str(top)), position=position, path=path)


def of_size(measured: Operand, position: int) -> Operand:
    """The size of another operand."""
    get = measured.get

    def size(item: Item) -> Value | None:
        value = get(item)
        found = None if value is None else size_of(value)
        return None if found is None else ("N", found)

    return Operand(get=size, position=position, kind="N", function="size")


def _top(name: str) -> Callable[[Item], Value | None]:
    def get(item: Item) -> Value | None:
        raw = item.get(name)
        return None if raw is None else value_of(_decode(raw))

    return get


def _nested(name: str, below: Path) -> Callable[[Item], Value | None]:
    def get(item: Item) -> Value | None:
        raw = item.get(name)
        if raw is None:
            return None
        found = _decode(raw)
        for step in below:
            content = found.get("M") if isinstance(step, str) else found.get("L")
            try:
                found = content[step]  # type: ignore[index]  # None is handled here, too
            except (IndexError, KeyError, TypeError):
                return None
        return value_of(found)

    return get
