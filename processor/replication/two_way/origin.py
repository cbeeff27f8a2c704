"""Whose write a record of the spoke's stream is: an application's, or the replicator's own. Pure.

====================================  ================================================================================
record                                is the replicator's own, and passed over
====================================  ================================================================================
nothing but the marker has changed    always: nobody has changed anything
new item with a marker                if it is intact, newer than the one before, and written just now
removed item                          if its marker says ``del``, and was written just now; or if TTL has removed it
====================================  ================================================================================

"Just now" compares the marker's time, which is the replicator's clock, with the record's, which is DynamoDB's. So an
application that puts an old item back, marker and all, is told from the replicator where that item is older than
``WINDOW_MS`` (or was followed by another write of the replicator). Within that time it is taken for the replicator.

TTL: both tables have the same TTL attribute, or neither has one, which a start looks at. So the hub's TTL deletes what
the spoke's has deleted, and if the hub's item has got another time meanwhile, the mirror brings it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from processor.replication.two_way.marker import Marker, Reading

# AWS refuses requests whose clock is wrong by more than 15 minutes (Signature Version 4, "timestamp"; 5 for most
# services), so a marker's time is never further than that from its record's. Records' times may be rounded to the
# minute.
WINDOW_MS = 20 * 60 * 1000


def is_replicators(
    old: Reading | None, new: Reading | None, *, created_ms: int, is_by_ttl: bool = False, window_ms: int = WINDOW_MS
) -> bool:
    """Whether a record is the replicator's own.

    :param old: the item before; None for none
    :param new: the item after; None if it was removed
    :param created_ms: the record's time, in ms since the epoch; 0 if it has none
    """
    since_ms = created_ms - window_ms if created_ms else 0
    if new is None:
        marker = None if old is None else old.marker
        return is_by_ttl or (marker is not None and marker.kind == "del" and marker.written_ms >= since_ms)
    if old is not None and old.content == new.content:
        return True
    if new.marker is None or not new.is_intact or new.marker.written_ms < since_ms:
        return False
    return old is None or _is_newer(new.marker, old.marker)


def _is_newer(marker: Marker, before: Marker | None) -> bool:
    return before is None or marker.order > before.order
