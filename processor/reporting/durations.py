"""Times as people read them. Pure."""

from __future__ import annotations

_MINUTE, _HOUR = 60, 3600


def duration(seconds: float | None) -> str:
    """A time as in ``1 h 5 min``; ``?`` if it is not known."""
    if seconds is None:
        return "?"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), _MINUTE)
    if seconds < _HOUR:
        return f"{minutes} min {rest} s"
    return f"{minutes // _MINUTE} h {minutes % _MINUTE} min"
