r"""Paths in an item: ``order.lines[3].price``; a name's own characters are ``\.``, ``\[``, ``\,`` or ``\\``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# Names of attributes, and positions in lists.
Path = tuple[str | int, ...]

_SPECIAL = re.compile(r"([\\.,\[])")
_NAME = r"(?:[^\\.,\[\]]|\\.)+"
_PATH = re.compile(rf"{_NAME}(?:\.{_NAME}|\[\d+\])*")
_STEP = re.compile(rf"(?P<name>{_NAME})|\[(?P<place>\d+)\]")
_ESCAPED = re.compile(r"\\(.)")
_PART = re.compile(r"(?:[^\\,]|\\.|\\$)+")


def parse(text: str) -> list[Path]:
    """Paths between commas.

    :raises ValueError: one of them is not a path
    """
    parts = split(text)
    for part in parts or [text]:
        if not _PATH.fullmatch(part):
            raise ValueError(f"'{part}' is no attribute path. Give them as in customer.address,lines[0].price")
    return [tuple(_steps(part)) for part in parts]


def split(text: str) -> list[str]:
    r"""The parts between commas that stand for themselves, not for a name's own (``\,``), without white space."""
    return [part.strip() for part in _PART.findall(text)]


def unescaped(name: str) -> str:
    """A name as it is, of its characters as they are written."""
    return _ESCAPED.sub(r"\1", name)


def shown(path: Sequence[str | int]) -> str:
    """The path as ``parse`` accepts it."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else ("." if text else "") + _SPECIAL.sub(r"\\\1", step)
    return text


def _steps(part: str) -> Iterator[str | int]:
    for found in _STEP.finditer(part):
        yield int(found["place"]) if found["place"] else unescaped(found["name"])
