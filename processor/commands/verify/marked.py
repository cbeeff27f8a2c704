"""What the marker of a differing item at a two-way task's destination says of who has written it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from processor.replication.two_way.marker import Markers

if TYPE_CHECKING:
    import msgspec

# ``intact``: the item is as replication wrote it, so the source has changed or deleted it since. ``changed``: an
# application has changed it since. ``none``: an application has put it, or it is from before the task was two-way.
State = Literal["intact", "changed", "none"]
StateOf = Callable[[bytes, "msgspec.Raw"], State]

SHOWN: Mapping[State, str] = {
    "intact": "as replication wrote it",
    "changed": "changed by an application since",
    "none": "put by an application, or from before twoWay",
}


def state_of(markers: Markers) -> StateOf:
    """Asks an item of the destination.

    :returns: a function of a key's identity and its item; it raises ``MalformedItemError``
    """

    def found(identity: bytes, item: msgspec.Raw) -> State:
        reading = markers.read(item, identity)
        if reading is None or reading.marker is None:
            return "none"
        return "intact" if reading.is_intact or reading.marker.kind == "del" else "changed"

    return found
