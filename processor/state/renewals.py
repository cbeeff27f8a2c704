"""Finds out which daemons are alive, for whoever looks again and again: by what the leases' counters did in between.

``liveness.py`` waits for a renewal; between two looks some seconds apart each daemon has made one, so nothing is waited
for and no call is made. A daemon counts as dead when none of its counters has moved for as long as a lease lasts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable

from processor.state.leases import Lease
from processor.state.liveness import Daemon


class Renewals:
    """What was seen of one task's leases so far.

    :param failover_seconds: how long a lease lasts
    """

    def __init__(self, *, failover_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._failover_seconds = failover_seconds
        self._clock = clock
        self._counters: dict[str, tuple[str, int]] = {}
        self._renewed: dict[str, float] = {}

    @property
    def known(self) -> bool:
        """Whether there is something to compare with."""
        return bool(self._counters)

    def learn(self, daemons: Iterable[Daemon], found: Iterable[Lease]) -> None:
        """Begin with what ``liveness.look`` has found."""
        now = self._clock()
        self._counters = _counters(found)
        self._renewed = {each.owner: now for each in daemons if each.alive}

    def see(self, found: Iterable[Lease]) -> list[Daemon]:
        """Who owns these leases now, which are to be judged by those that were seen before."""
        now = self._clock()
        counters = _counters(found)
        for shard_id, lease in counters.items():
            if self._counters.get(shard_id) != lease:
                self._renewed[lease[0]] = now
        self._counters = counters
        shards = Counter(owner for owner, _ in counters.values())
        self._renewed = {owner: at for owner, at in self._renewed.items() if owner in shards}
        alive = {owner for owner, at in self._renewed.items() if now - at < self._failover_seconds}
        return [Daemon(owner=owner, shards=shards[owner], alive=owner in alive) for owner in sorted(shards)]


def _counters(found: Iterable[Lease]) -> dict[str, tuple[str, int]]:
    """Owner and counter of each lease that somebody has to renew."""
    return {
        lease.shard_id: (lease.owner, lease.counter)
        for lease in found
        if lease.owner is not None and not lease.finished
    }
