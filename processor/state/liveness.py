"""Finds out which daemons are alive: those whose leases' counters move.

Leases have no time. A daemon renews each of its leases every third of ``failoverTimeMillis``. So the leases of each
owner are read in turn until a counter has moved, or until the leases have ended and any other daemon may take them.

::

    scan        look   look   look                         failoverTimeMillis
    ──┼──────────┼──────┼──────┼── ... ──────────────────────┼──▶
      counter 7  7      7      8: alive                      still 7: it does not renew
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from processor.state import leases
from processor.state.leases import Lease

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOOK_SECONDS = 0.05
# BatchGetItem's limit of keys (its API reference).
_MAX_KEYS = 100


class Daemon(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A worker that owns leases of unfinished shards; ``alive`` if it renews them."""

    owner: str
    shards: int
    alive: bool


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. If leases were ``handed_over`` meanwhile, those read before are out of date."""

    daemons: list[Daemon]
    handed_over: bool


def look(
    client: DynamoDBClient,
    table: str,
    found: Iterable[Lease],
    *,
    failover_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Look:
    """Watch the leases until it is known for each owner whether it is alive.

    :param found: the leases as they were just read
    :param failover_seconds: how long a lease lasts
    :raises UnavailableError: the table can't be read
    """
    pending: dict[str, deque[Lease]] = {}
    for lease in found:
        if lease.owner is not None and not lease.finished:
            pending.setdefault(lease.owner, deque()).append(lease)
    shards = Counter({owner: len(own) for owner, own in pending.items()})
    alive: set[str] = set()
    handed_over = False
    deadline = clock() + failover_seconds
    while pending and clock() < deadline:
        wait(_LOOK_SECONDS)
        looked_at = dict(islice(pending.items(), _MAX_KEYS))
        now = leases.read_some(client, table, [own[0].shard_id for own in looked_at.values()])
        for owner, own in looked_at.items():
            del pending[owner]
            after = now.get(own[0].shard_id)
            if after is None or after.owner != owner:  # another of its leases must show it
                handed_over = True
                own.popleft()
            elif after.counter != own[0].counter:
                alive.add(owner)
                continue
            if own:
                own.rotate(-1)  # one lease may be slow while the owner's other leases are renewed
                pending[owner] = own  # after the other owners
    seen = sorted(alive | pending.keys())
    return Look(
        daemons=[Daemon(owner=owner, shards=shards[owner], alive=owner in alive) for owner in seen],
        handed_over=handed_over,
    )
