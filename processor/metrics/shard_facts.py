"""Values that a shard's child notes for the exporter, which turns them into ages and does not publish them. Pure."""

from __future__ import annotations

from processor.metrics.instruments import Instrument

# The longest latency is that of this window and the one before.
WINDOW_SECONDS = 60.0


def _fact(name: str) -> Instrument:
    return Instrument(name=f"fact_{name}", kind="gauge", help=name, labels=("shard",))


# Times in seconds since the epoch, or 0 for none.
OPENED = _fact("opened")  # not a time: the number of the files' last opening
CLOSED = _fact("closed")  # the number of the opening that is over
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
