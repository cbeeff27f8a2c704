"""A conflict: an item that was written on both sides, neither writer knowing of the other. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

# hubWins: the spoke's write is lost, by conflicts=hubWins. lastArrival: the hub's is, by conflicts=lastArrival.
# hubOverwritten: the hub's is, whatever the setting says: it came between the uplink's look and its write, and has only
# added attributes, or changed some after the first hundred, which no condition can see.
Verdict = Literal["hubWins", "lastArrival", "hubOverwritten"]
VERDICTS: tuple[Verdict, ...] = ("hubWins", "lastArrival", "hubOverwritten")


class Conflict(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the protocol knows of one: the images, without markers, as DynamoDB JSON, null for no item.

    ``spoke_image`` is what the application at the spoke wrote, over ``spoke_old_image``. ``hub_image`` is what the hub
    had instead of that old image. ``hub_sequence_number`` is the newest record of the hub that the spoke's item had
    when it was written, and ``mirrored_ms`` when that one was written at the spoke; both null if that is not known.
    ``sequence_number`` and ``created_ms`` are of the spoke's record.
    """

    outcome: Verdict
    spoke_image: msgspec.Raw | None
    spoke_old_image: msgspec.Raw | None
    hub_image: msgspec.Raw | None
    hub_sequence_number: str | None
    mirrored_ms: int | None
    sequence_number: str
    created_ms: int
