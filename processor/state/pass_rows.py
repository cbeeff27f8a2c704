"""Stores a shared verification's progress in rows of the task table, for as long as it is under way.

One row says which pass over the tables it is, in which way it is made, and which processes are at it. One row for each
part says who has it, and what was found in it. When the last process leaves, all of them are deleted.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from processor.aws.errors import aws_errors
from processor.errors import ConditionFailedError, VerifyTakenError
from processor.state.own_row import Row, not_ours
from processor.state.sharing.work import Work
from processor.state.sharing.work_rows import WorkRows, part_number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Rows that are deleted side by side.
_DELETES = 8


class PassState(Work, frozen=True, kw_only=True, rename="camel"):
    """A pass over both tables; ``terms`` says in which way it is made, which is the same for whoever joins.

    ``parts``: their number, which is that of the tables' segments. ``expected_items``: of both tables together, as
    DescribeTable counts them. ``started_ms``: milliseconds since the epoch.
    """

    parts: int
    expected_items: int = 0
    started_ms: int = 0
    terms: dict[str, str] = msgspec.field(default_factory=dict)


class PartRow(msgspec.Struct, frozen=True, kw_only=True):
    """A part as it is stored, by whichever pass; what was found is None until all of it is compared.

    ``items``: how many of both tables were read. ``found``: JSON, compressed by whoever compares.
    """

    number: int
    holder: str
    pass_id: str
    items: int = 0
    found: bytes | None = None


ROWS = WorkRows("verifyPass", PassState, VerifyTakenError)
read = ROWS.read
write = ROWS.write
delete = ROWS.delete


def read_parts(client: DynamoDBClient, table: str) -> list[PartRow]:
    """All rows of parts, of any pass.

    :raises UnavailableError: the table can't be read
    """
    return [_part(row, table) for row in ROWS.parts(client, table)]


def take(client: DynamoDBClient, table: str, under_way: PassState, number: int, *, seen: str) -> None:
    """Make ``under_way.holder`` the only process that compares a part, from its begin.

    :param seen: who was seen to hold it, and works no more; empty where nobody did
    :raises VerifyTakenError: another process has taken it since, or has just finished it
    :raises UnavailableError: it can't be done now
    """
    ROWS.take(
        client,
        table,
        number,
        holder=under_way.holder,
        seen=seen,
        update=", passId = :pass REMOVE scanned, partReport",
        unless="passId = :pass AND attribute_exists(partReport)",
        values={":pass": under_way.id},
    )


def save(client: DynamoDBClient, table: str, under_way: PassState, part: PartRow) -> None:
    """Store what was found in a part.

    :raises VerifyTakenError: another process has taken it over
    :raises UnavailableError: it can't be stored now
    """
    row: Row = {
        "passId": {"S": under_way.id},
        "scanned": {"N": str(part.items)},
        "partReport": {"B": part.found or b""},
    }
    ROWS.save(client, table, part.number, row, holder=under_way.holder)


def sweep(client: DynamoDBClient, table: str, parts: list[PartRow]) -> None:
    """Delete rows of parts, if they are still their pass's.

    :raises UnavailableError: one can't be deleted now; others may be
    """
    with ThreadPoolExecutor(_DELETES, thread_name_prefix="verify-sweep") as pool:
        for _ in pool.map(lambda part: _delete(client, table, part), parts):
            pass


def _delete(client: DynamoDBClient, table: str, part: PartRow) -> None:
    try:
        with aws_errors(f"DeleteItem on task table {table}"):
            client.delete_item(
                TableName=table,
                Key=ROWS.part_key(part.number),
                ConditionExpression="passId = :pass",
                ExpressionAttributeValues={":pass": {"S": part.pass_id}},
            )
    except ConditionFailedError:
        return  # it is another pass's now, or gone


def _part(row: Row, table: str) -> PartRow:
    found: Any = row.get("partReport", {}).get("B")
    try:
        return PartRow(
            number=part_number(row, table),
            holder=row["holder"]["S"],
            pass_id=row["passId"]["S"],
            items=int(row.get("scanned", {"N": "0"})["N"]),
            found=None if found is None else bytes(getattr(found, "value", found)),
        )
    except (KeyError, ValueError) as exc:
        raise not_ours(table, row, exc) from exc
