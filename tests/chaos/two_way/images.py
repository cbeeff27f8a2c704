"""Items as the checker compares them: what applications see, the marker beside it, and a name for people."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.chaos.journal import Item, canonical, digest

# The product's default.
MARKER = "_replication"


class Image(NamedTuple):
    """An item; equal texts for equal items.

    :param content: a digest of all but the marker
    :param marker: whatever stands in the marker's attribute, None for nothing
    :param attributes: a digest of each attribute but the marker's
    :param shown: what tells it from others, without what it holds
    """

    content: str
    marker: str | None
    attributes: frozenset[tuple[str, str]]
    shown: str

    @property
    def full(self) -> tuple[str, str | None]:
        """All of it."""
        return self.content, self.marker


def image(item: Item | None) -> Image | None:
    """Make it; None for no item.

    :param item: as boto3 or the wire has it
    """
    if not item:
        return None
    bare = {name: value for name, value in item.items() if name != MARKER}
    return Image(
        content=digest(bare),
        marker=canonical({MARKER: item[MARKER]}) if MARKER in item else None,
        attributes=frozenset((name, digest({name: value})) for name, value in bare.items()),
        shown=_shown(item),
    )


def content(of: Image | None) -> str | None:
    """What applications see of it; None for no item."""
    return None if of is None else of.content


def shown(of: Image | None) -> str:
    """For people."""
    return "nothing" if of is None else of.shown


def _shown(item: Item) -> str:
    told = {name: item[name] for name in ("write", "value", "extra") if name in item}
    words = " ".join(f"{name} {next(iter(value.values()))}" for name, value in told.items())
    marker: dict[str, Any] = item.get(MARKER, {}).get("M", {})
    number = marker.get("s", {}).get("S", "").lstrip("0")
    return words + (f", marker {marker.get('k', {}).get('S')} {number}" if number else "")
