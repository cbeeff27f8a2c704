"""What a shard's child notes for the exporter, which makes ages of it; none of it is told as it is. Pure."""

from __future__ import annotations

from processor.metrics.instruments import Instrument

# The longest latency is that of this window and the one before.
WINDOW_SECONDS = 60.0


def _fact(name: str) -> Instrument:
    return Instrument(name=f"fact_{name}", kind="gauge", help=name, labels=("shard",))


# What the exporter makes ages of; times in seconds since the epoch, 0 for none. These are not told as they are.
OPENED = _fact("opened")  # no time, but which opening of the files is the last one
CLOSED = _fact("closed")  # and which one is over
CLOSED_AT = _fact("closed_at")
OLDEST_AT = _fact("oldest_at")
CHECKPOINT_AT = _fact("checkpoint_at")
LONGEST = _fact("longest")
LONGEST_AT = _fact("longest_at")
HELD_SINCE = _fact("held_since")
HEARTBEAT_LATENCY = _fact("heartbeat_latency")
HEARTBEAT_AT = _fact("heartbeat_at")
FACTS = (
    OPENED,
    CLOSED,
    CLOSED_AT,
    OLDEST_AT,
    CHECKPOINT_AT,
    LONGEST,
    LONGEST_AT,
    HELD_SINCE,
    HEARTBEAT_LATENCY,
    HEARTBEAT_AT,
)
