"""Stores that a process works on a copy, and that all of it is done; ``sharing/work_rows.py`` has the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.errors import CopyTakenError
from processor.state.copy_rows import ROWS, CopyState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def join(client: DynamoDBClient, table: str, copy: CopyState, *, member: str, host: str) -> CopyState:
    """Add a member to the copy, which must be the same, running, and made in the same way; returns its row.

    :raises CopyTakenError: it is another one, or done
    :raises UnavailableError: it can't be stored now
    """
    return ROWS.join(
        client,
        table,
        copy,
        member=member,
        host=host,
        condition="concurrent = :concurrent",
        values={":concurrent": copy.concurrent},
    )


def finish(client: DynamoDBClient, table: str, copy: CopyState) -> None:
    """Store that the copy is done, with its totals, unless another machine has done so already.

    :param copy: as it is to be stored
    :raises CopyTakenError: another one has been begun
    :raises UnavailableError: it can't be stored now
    """
    counts = {
        "finishedMs": copy.finished_ms or 0,
        "items": copy.items,
        "sizeBytes": copy.size_bytes,
        "expired": copy.expired,
        "filtered": copy.filtered,
    }
    try:
        ROWS.update(
            client,
            table,
            "SET #state = :done, " + ", ".join(f"#{name} = :{name}" for name in counts),
            condition="id = :id AND #state = :running",
            names={"#state": "state", **{f"#{name}": name for name in counts}},
            values={
                ":id": copy.id,
                ":running": "running",
                ":done": "done",
                **{f":{name}": value for name, value in counts.items()},
            },
        )
    except CopyTakenError:
        found = ROWS.read(client, table)
        if found is None or found.id != copy.id or found.state != "done":
            raise
