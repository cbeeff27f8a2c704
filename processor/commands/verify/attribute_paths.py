r"""Paths in an item: ``order.lines[3].price``; a name's own characters are ``\.``, ``\[``, ``\,`` or ``\\``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

# Names of attributes, and positions in lists.
Path = tuple[str | int, ...]

_SPECIAL = re.compile(r"([\\.,\[])")
_NAME = r"(?:[^\\.,\[\]]|\\.)+"
_PATH = re.compile(rf"{_NAME}(?:\.{_NAME}|\[\d+\])*")
_STEP = re.compile(rf"(?P<name>{_NAME})|\[(?P<place>\d+)\]")
_PART = re.compile(r"(?:[^\\,]|\\.|\\$)+")


def parse(text: str) -> list[Path]:
    """Paths between commas.

    :raises ValueError: one of them is not a path
    """
    parts = [part.strip() for part in _PART.findall(text)]
    for part in parts or [text]:
        if not _PATH.fullmatch(part):
            raise ValueError(f"'{part}' is no attribute path. Give them as in customer.address,lines[0].price")
    return [tuple(_steps(part)) for part in parts]


def shown(path: Sequence[str | int]) -> str:
    """The path as ``parse`` accepts it."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else ("." if text else "") + _SPECIAL.sub(r"\\\1", step)
    return text


def remove(attributes: dict[str, Any], paths: Sequence[Path]) -> None:
    """Remove the values at these paths, if there are any.

    :param attributes: ``{name: {type: value}}``; is changed
    :param paths: in the order of ``in_order``
    """
    for path in paths:
        _remove(attributes, path)


def in_order(paths: Sequence[Path]) -> list[Path]:
    """The last positions of a list first, so that no removal moves another position."""
    return sorted(set(paths), key=lambda path: [(isinstance(step, str), step) for step in path], reverse=True)


def _remove(attributes: dict[str, Any], path: Path) -> None:
    inside: Any = attributes
    for step in path[:-1]:
        value = _at(inside, step)
        if value is None:
            return
        inside = value.get("M") if "M" in value else value.get("L")
    if _at(inside, path[-1]) is not None:
        del inside[path[-1]]


def _at(inside: Any, step: str | int) -> Any:
    """The value at ``step`` of a map's or a list's content."""
    if isinstance(step, str):
        return inside.get(step) if isinstance(inside, dict) else None
    return inside[step] if isinstance(inside, list) and step < len(inside) else None


def _steps(part: str) -> Iterator[str | int]:
    for found in _STEP.finditer(part):
        yield int(found["place"]) if found["place"] else re.sub(r"\\(.)", r"\1", found["name"])
