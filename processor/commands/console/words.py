"""Numbers and texts as people read them on the page. Pure."""

from __future__ import annotations


def rate(per_second: float | None) -> str:
    """As ``1,234``, or with one decimal where that is much of it; ``?`` if it is not known."""
    if per_second is None:
        return "?"
    return f"{per_second:,.0f}" if per_second >= 10 or per_second == int(per_second) else f"{per_second:.1f}"  # noqa: PLR2004  # two digits


def counted(number: int, noun: str) -> str:
    """As ``1 shard`` and ``2 shards``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
