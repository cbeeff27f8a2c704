"""An application's write at the spoke, as the uplink takes it to the hub. Pure."""

from __future__ import annotations

import msgspec


class SpokeWrite(msgspec.Struct, frozen=True, kw_only=True):
    """Images without markers, as DynamoDB JSON; None for no item.

    ``before`` and ``after`` are their canonical forms (``marker.Reading.content``). ``hub_sequence_number`` is the
    newest record of the hub that the item had before, and ``mirrored_ms`` its marker's time; None where it had no
    marker. ``sequence_number`` and ``created_ms`` are the record's, as a ``Change`` has them.
    """

    old: msgspec.Raw | None
    new: msgspec.Raw | None
    before: bytes | None
    after: bytes | None
    sequence_number: str
    created_ms: int
    hub_sequence_number: str | None = None
    mirrored_ms: int | None = None

    def follows(self, earlier: SpokeWrite) -> bool:
        """Whether it was made over what an earlier write of its key had written."""
        return self.before == earlier.after
