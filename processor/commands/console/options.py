"""The options of ``run.sh console``, as ``registry.py`` lists them. Pure."""

from __future__ import annotations

import msgspec


def names(text: str) -> tuple[str, ...]:
    """``replicas.example.com,replicas`` as a tuple.

    :raises ValueError: it is none, or not as a browser sends it
    """
    found = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not found or any(set(name) & set("/:@ ") for name in found):
        raise ValueError(f"'{text}' is no name of a host. Give it without a scheme and without a port")
    return found


class ConsoleOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where the page is served, and how often the tasks are looked at while somebody reads it.

    :param port: 0 for any that is free
    :param address: on which it listens
    :param names: by which browsers may ask for it, beside ``address`` and ``localhost``
    :param opens: open it in this machine's browser
    :param interval_seconds: from one look at a task to the next
    :param max_lag_seconds: a shard that is further behind is not healthy
    """

    port: int = 8080
    address: str = "127.0.0.1"
    names: tuple[str, ...] = ()
    opens: bool = False
    interval_seconds: int = 10
    max_lag_seconds: int = 60

    @property
    def as_json(self) -> bool:
        """What it prints is for people."""
        return False
