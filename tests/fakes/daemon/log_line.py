"""A log line taken apart, whichever of the two forms it has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

_PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')
_TEXT = re.compile(rf"(\S+) (\w+) (\w+)((?: {_PAIR.pattern})*)")


def parse_text(line: str) -> dict[str, str]:
    """``time LEVEL event name=value …``, every value as its text."""
    match = _TEXT.fullmatch(line)
    assert match, f"no log line: {line!r}"
    pairs = {name: json.loads(value) if value.startswith('"') else value for name, value in _PAIR.findall(match[4])}
    return {"time": match[1], "level": match[2], "event": match[3], **pairs}


def reporting(lines: Iterable[str], event: str) -> list[str]:
    """The lines in the text form that report this event; one that only names it in its note is none of them."""
    return [line for line in lines if f"{line} ".split(" ", 3)[2:3] == [event]]


def parse_json(line: str) -> dict[str, Any]:
    """One JSON object on one line, which begins with what every line has."""
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line, parse_constant=lambda constant: f"no JSON: {constant}")
    assert list(found)[:3] == ["time", "level", "event"], line
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["time"])
    return found


def as_text(value: object) -> str:
    """A field of a JSON line as the text form has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
