"""What stands at paths in an item: removed, replaced, or kept alone. Pure.

Everywhere ``attributes`` are ``{name: {type: value}}``, and the functions change them. Where a path leads nowhere,
nothing is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from processor.settings.attribute_paths import Path


def remove(attributes: dict[str, Any], paths: Sequence[Path]) -> None:
    """Remove the values at these paths.

    :param paths: in the order of ``in_order``
    """
    for path in paths:
        inside = _inside(attributes, path)
        if _at(inside, path[-1]) is not None:
            del inside[path[-1]]


def replace(attributes: dict[str, Any], path: Path, made: Callable[[Any], Any]) -> None:
    """Put ``made(value)`` in the place of the value at a path."""
    inside = _inside(attributes, path)
    value = _at(inside, path[-1])
    if value is not None:
        inside[path[-1]] = made(value)


def in_order(paths: Sequence[Path]) -> list[Path]:
    """The last positions of a list first, so that no removal moves another position."""
    return sorted(set(paths), key=lambda path: [(isinstance(step, str), step) for step in path], reverse=True)


def _inside(attributes: dict[str, Any], path: Path) -> Any:
    """The content of the map or list in which a path's last step is taken; None if there is none."""
    inside: Any = attributes
    for step in path[:-1]:
        value = _at(inside, step)
        if value is None:
            return None
        inside = value.get("M") if "M" in value else value.get("L")
    return inside


def _at(inside: Any, step: str | int) -> Any:
    """The value at ``step`` of a map's or a list's content."""
    if isinstance(step, str):
        return inside.get(step) if isinstance(inside, dict) else None
    return inside[step] if isinstance(inside, list) and step < len(inside) else None
