"""The matrix: every call that the replicator makes, times every single fault, times every moment.

A cell is one of each. Its name is ``CALL:FAULT:MOMENT``, as ``leases.Scan:empty-list:shard-end``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["plain", "item", "roles", "metrics", "letters", "two-way"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation at one place: ``site`` is the server that is asked, ``kind`` the task that makes the call."""

    site: str
    operation: str
    kind: Kind = "plain"

    @property
    def name(self) -> str:
        """As ``leases.Scan``."""
        return f"{self.site}.{self.operation}"


CALLS = (
    Call(site="stream", operation="GetRecords"),
    Call(site="stream", operation="GetShardIterator"),
    Call(site="stream", operation="DescribeStream"),
    Call(site="source", operation="DescribeTable"),
    Call(site="leases", operation="Scan"),
    Call(site="leases", operation="GetItem"),
    Call(site="leases", operation="UpdateItem"),
    Call(site="leases", operation="PutItem"),
    Call(site="leases", operation="DescribeTable"),
    Call(site="destination", operation="BatchWriteItem"),
    Call(site="destination", operation="PutItem", kind="item"),
    Call(site="destination", operation="DeleteItem", kind="item"),
    Call(site="destination", operation="DescribeTable"),
    Call(site="sts", operation="AssumeRole", kind="roles"),
    Call(site="cloudwatch", operation="PutMetricData", kind="metrics"),
    Call(site="s3", operation="PutObject", kind="letters"),
    Call(site="spoke", operation="GetRecords", kind="two-way"),
    Call(site="hub", operation="GetItem", kind="two-way"),
    Call(site="hub", operation="PutItem", kind="two-way"),
    Call(site="hub", operation="DeleteItem", kind="two-way"),
    Call(site="spoke", operation="PutItem", kind="two-way"),
    Call(site="spoke", operation="UpdateItem", kind="two-way"),
    Call(site="spoke", operation="DeleteItem", kind="two-way"),
    Call(site="conflicts", operation="PutObject", kind="two-way"),
)

# What each is, in the words of docs/faults.md.
FAULTS = {
    "empty-object": "a good answer with nothing in it",
    "part-missing": "a good answer without one of its parts, or without one row or shard of its list",
    "empty-list": "a good answer whose lists are empty, and that says that nothing follows",
    "wrong-type": "a good answer with one of its parts of another type",
    "not-found": "the table, the stream, the bucket or the role is said not to be there",
    "denied": "access is denied",
    "throttled": "too many calls",
    "server-error": "status 500 or 503",
    "cut": "the connection breaks, before anything is done or in the middle of the answer",
    "hung": "no answer, and nothing is done",
    "dripping": "two bytes of a good answer every 0.4 s",
    "expired": "the credentials are said to have expired",
    "answer-lost": "it is done, and the connection breaks before the answer",
}

MOMENTS = {
    "start": "once, while a daemon starts, for the first time or again",
    "steady": "once, while a change now and then is applied",
    "outage": "each time for 12 seconds, while a change now and then is applied",
    "backlog": "once, while it catches up with many changes",
    "shard-end": "once, while a shard ends and its child begins",
    "hand-over": "once, while a frozen daemon's shard goes to another one and back",
    "stop": "once, while a daemon stops in the middle of its work",
}

# Moments that are brought about in the life of one daemon, of two, and of one for each cell.
RUNNING = ("steady", "backlog", "shard-end", "outage")
FLEET = ("hand-over",)
LIVES = ("start", "stop")
# No shard of DynamoDB Local ends, and one of each direction is not shared out among daemons.
_NOT_TWO_WAY = {"shard-end", "hand-over"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix."""

    call: Call
    fault: str
    moment: str

    @property
    def name(self) -> str:
        """As ``--only`` takes it."""
        return f"{self.call.name}:{self.fault}:{self.moment}"


def all_cells() -> Iterator[Cell]:
    """The whole matrix, call by call."""
    for call in CALLS:
        for moment in MOMENTS:
            if call.kind == "two-way" and moment in _NOT_TWO_WAY:
                continue
            for fault in FAULTS:
                yield Cell(call, fault, moment)


def chosen(only: str | None) -> list[Cell]:
    """The cells that ``CALL[:FAULT[:MOMENT]]`` names; a call without its site is that call wherever it is made.

    :raises ValueError: it names none
    """
    wanted = [*(only or "").split(":"), "", ""][:3] if (only or "").count(":") < 3 else ["?"] * 3

    def has(name: str, part: str) -> bool:
        return not part or part.lower() == name.lower()

    found = [
        cell
        for cell in all_cells()
        if (has(cell.call.name, wanted[0]) or has(cell.call.operation, wanted[0]))
        and has(cell.fault, wanted[1])
        and has(cell.moment, wanted[2])
    ]
    if not found:
        raise ValueError(
            f"--only {only}: there is no such cell. Give CALL[:FAULT[:MOMENT]] of these calls: "
            f"{', '.join(call.name for call in CALLS)}; faults: {', '.join(FAULTS)}; moments: {', '.join(MOMENTS)}"
        )
    return found


def sample(seed: int, moments: Sequence[str], *, count: int, calls: Sequence[Call] = CALLS) -> list[Cell]:
    """So many cells of these moments, the same ones for the same seed."""
    pool = [cell for cell in all_cells() if cell.moment in moments and cell.call in calls]
    draw = random.Random(" ".join([str(seed), *moments, *(call.name for call in calls)]))
    picked = set(draw.sample(range(len(pool)), min(count, len(pool))))
    return [cell for number, cell in enumerate(pool) if number in picked]
