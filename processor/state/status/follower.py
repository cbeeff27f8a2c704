"""Looks at one task again and again: at all of it now and then, and at its leases alone in between.

A glance costs one scan of the checkpoint table, and shows within seconds that a daemon has died. A follower remembers
what a single look can't know: whether counters have moved since, and since when a change is in the stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from processor.aws.clients import Clients
from processor.errors import RefusedError, UnavailableError
from processor.settings.settings import Settings
from processor.state import leases
from processor.state.care_row import CareRow
from processor.state.renewals import Renewals
from processor.state.status import lag, snapshot
from processor.state.status.arrivals import Arrivals
from processor.state.status.letters import CountLetters, LettersFound
from processor.state.status.snapshot import Seen

# Records of a shard that are counted, by GetRecords' own limit of a page. Those of a shard that is far behind are not.
MOST_PENDING = 1000
_FAR_BEHIND_SECONDS = 60
# A bucket of letters is listed; it changes rarely.
_LETTERS_SECONDS = 60.0


class Follower:
    """Follows one task.

    :param clock: seconds, from any moment on
    """

    def __init__(
        self, settings: Settings, letters: CountLetters, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._clients = Clients(settings, connections=lag.THREADS)
        self._renewals = Renewals(failover_seconds=settings.failover_seconds, clock=clock)
        self._arrivals = Arrivals()
        self._letters = _Remembered(letters, clock)
        self._seen: Seen | None = None
        # Whether the lags of the last look are bounded by the looks before.
        self.bounded = False

    def look(self, *, care: CareRow | None = None) -> Seen:
        """Look at all of the task.

        :param care: the caretakers' row, for who holds it
        """
        before = self._seen.lags if self._seen else {}

        def most(shard_id: str) -> int:
            known = before.get(shard_id)
            return 1 if known is not None and (known.seconds or 0) > _FAR_BEHIND_SECONDS else MOST_PENDING

        seen = snapshot.read(
            self._settings, self._clients, self._letters.count, renewals=self._renewals, most=most, care=care
        )
        self.bounded = False
        if seen.lag_about and seen.could_read("leases"):
            seen = self._bounded(seen)
        self._seen = seen
        return seen

    def glance(self) -> Seen:
        """Look at its leases again; where they can't be read, or nothing is known yet, at all of it."""
        seen = self._seen
        if seen is None or seen.leases is None or not seen.could_read("leases"):
            return self.look()
        try:
            found = leases.read(self._clients.checkpoints(), self._settings.checkpoint_table)
        except (UnavailableError, RefusedError):
            return self.look()
        if found is None:
            return self.look()
        daemons = self._renewals.see(found)
        self._seen = snapshot.with_leases(seen, found, daemons)
        return self._seen

    def _bounded(self, seen: Seen) -> Seen:
        """The same with the lags that earlier looks allow, which are better than times that are rounded."""
        now = self._clock()
        checkpoints = {lease.shard_id: lease.checkpoint for lease in seen.leases or ()}
        lags, better = {}, True
        for shard_id, found in seen.lags.items():
            lags[shard_id], is_better = self._arrivals.bounded(
                shard_id, found, checkpoint=checkpoints.get(shard_id), now=now
            )
            better = better and (is_better or not found.seconds)
        self._arrivals.forget_all_but(set(seen.lags))
        self.bounded = better
        changed = msgspec.structs.replace(seen, lags=lags, lag_about=not better)
        return snapshot.with_leases(changed, seen.leases, seen.daemons)


class _Remembered:
    """Counts letters once a minute."""

    def __init__(self, letters: CountLetters, clock: Callable[[], float]) -> None:
        self._letters = letters
        self._clock = clock
        self._counted: tuple[float, LettersFound | None] | None = None

    def count(self, settings: Settings) -> LettersFound | None:
        """As ``CountLetters`` does."""
        now = self._clock()
        if self._counted is None or now - self._counted[0] >= _LETTERS_SECONDS:
            self._counted = now, self._letters(settings)
        return self._counted[1]
