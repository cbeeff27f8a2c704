"""Stores which processes work on a copy, in the copy's own row, so that one answer says all of them.

::

    join ──▶ members.ID = {host, beat}     beat, beat, …     leave ──▶ gone
                                            └─ stands still for too long: the others remove it ──▶ its next beat fails

A member's id is never used again. So who holds a segment and is not among the members works no more on it, and never
will: anybody may take the segment (``copy_rows.take``). Each change also counts ``beat`` of the whole row up, by which
processes of older releases, and whoever wants to replace the row, see that somebody works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors
from processor.errors import ConditionFailedError, CopyTakenError
from processor.state import copy_rows
from processor.state.copy_rows import CopyState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def join(client: DynamoDBClient, table: str, copy: CopyState, *, member: str, host: str) -> CopyState:
    """Add a member to the copy, which must be the same, running, and made in the same way; returns its row.

    :raises CopyTakenError: it is another one, or done
    :raises UnavailableError: it can't be stored now
    """
    return _update(
        client,
        table,
        "SET members.#member = :member, beat = beat + :one",
        "id = :id AND #state = :running AND concurrent = :concurrent",
        names={"#member": member, "#state": "state"},
        values={
            ":id": {"S": copy.id},
            ":running": {"S": "running"},
            ":concurrent": {"BOOL": copy.concurrent},
            ":member": {"M": {"host": {"S": host}, "beat": {"N": "0"}}},
            ":one": {"N": "1"},
        },
    )


def beat(client: DynamoDBClient, table: str, copy: CopyState, *, member: str) -> CopyState:
    """Count the member's beat up; returns the copy's row, with all members.

    :raises CopyTakenError: the others have removed it, or the copy was begun anew
    :raises UnavailableError: it can't be stored now
    """
    return _update(
        client,
        table,
        "SET members.#member.beat = members.#member.beat + :one, beat = beat + :one",
        "id = :id AND attribute_exists(members.#member)",
        names={"#member": member},
        values={":id": {"S": copy.id}, ":one": {"N": "1"}},
    )


def remove(client: DynamoDBClient, table: str, copy: CopyState, *, member: str, seen_beat: int) -> CopyState:
    """Remove another member, which has not counted up its beat since; returns the copy's row.

    :raises CopyTakenError: it works, or is gone already
    :raises UnavailableError: it can't be stored now
    """
    return _update(
        client,
        table,
        "REMOVE members.#member SET beat = beat + :one",
        "id = :id AND members.#member.beat = :seen",
        names={"#member": member},
        values={":id": {"S": copy.id}, ":seen": {"N": str(seen_beat)}, ":one": {"N": "1"}},
    )


def leave(client: DynamoDBClient, table: str, copy: CopyState, *, member: str) -> None:
    """Remove oneself: then the others need not wait to take one's segments.

    :raises CopyTakenError: the others have done it, or the copy was begun anew
    :raises UnavailableError: it can't be stored now
    """
    _update(
        client,
        table,
        "REMOVE members.#member SET beat = beat + :one",
        "id = :id AND attribute_exists(members.#member)",
        names={"#member": member},
        values={":id": {"S": copy.id}, ":one": {"N": "1"}},
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
        _update(
            client,
            table,
            "SET #state = :done, " + ", ".join(f"#{name} = :{name}" for name in counts),
            "id = :id AND #state = :running",
            names={"#state": "state", **{f"#{name}": name for name in counts}},
            values={
                ":id": {"S": copy.id},
                ":running": {"S": "running"},
                ":done": {"S": "done"},
                **{f":{name}": {"N": str(value)} for name, value in counts.items()},
            },
        )
    except CopyTakenError:
        found = copy_rows.read(client, table)
        if found is None or found.id != copy.id or found.state != "done":
            raise


def _update(
    client: DynamoDBClient, table: str, update: str, condition: str, *, names: dict[str, str], values: dict[str, Any]
) -> CopyState:
    try:
        with aws_errors(f"UpdateItem on task table {table}"):
            answer = client.update_item(
                TableName=table,
                Key=copy_rows.KEY,
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
    except ConditionFailedError as exc:
        raise CopyTakenError(table) from exc
    return copy_rows.parsed(answer.get("Attributes", {}), table)
