"""Which daemons are alive: those that renew their leases. KCL keeps no time in a lease, only a count that grows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from processor.leases import SHARD_END, Lease

# KCL renews after a third of failoverTimeMillis; half leaves it time to do so.
RENEWAL_SHARE = 0.5
_POLL_SECONDS = 0.1


def renewing(
    read: Callable[[], list[Lease] | None], *, failover_seconds: float, stop: threading.Event | None = None
) -> set[str]:
    """The owners of leases that are being renewed.

    :param read: the leases as they are now
    :param failover_seconds: ``failoverTimeMillis``: returns after half of it, or sooner where all owners have renewed
    """
    first = _counters(read())
    owners, alive = {owner for owner, _ in first}, set[str]()
    deadline = time.monotonic() + failover_seconds * RENEWAL_SHARE
    pause = stop or threading.Event()
    while alive != owners and time.monotonic() < deadline and not pause.wait(_POLL_SECONDS):
        for (owner, shard_id), counter in _counters(read()).items():
            if counter != first.get((owner, shard_id), counter) or owner not in owners:
                alive.add(owner)
                owners.add(owner)
    return alive


def _counters(leases: Iterable[Lease] | None) -> dict[tuple[str, str], int]:
    return {
        (lease.owner, lease.shard_id): lease.counter
        for lease in leases or []
        if lease.owner is not None and lease.checkpoint != SHARD_END
    }
