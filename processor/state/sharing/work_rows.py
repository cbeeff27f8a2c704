"""Stores work that processes share in rows of the task table, each on the condition that it is still as it was seen.

One row says which work it is, and which processes are its members, so that one answer says all of them::

    join ──▶ members.ID = {host, beat}     beat, beat, …     leave ──▶ gone
                                            └─ stands still for too long: the others remove it ──▶ its next beat fails

Each part has a row of its own, ``NAME#000003``, which only its ``holder`` writes. A member's id is never used again. So
who holds a part and is not among the members works no more on it, and never will: anybody may take the part. Each
change of the members also counts ``beat`` of the whole row up, by which whoever wants to replace the row sees that
somebody works.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from processor.aws.errors import aws_errors
from processor.aws.redaction import HarmlessWords
from processor.errors import ConditionFailedError
from processor.state import own_row
from processor.state.own_row import OwnRow, Row
from processor.state.sharing.work import Work

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

W = TypeVar("W", bound=Work)


class WorkRows(OwnRow[W]):
    """The rows of one kind of work: its own, and those of its parts; ``taken`` makes a ``TakenError``."""

    def write(self, client: DynamoDBClient, table: str, work: W, *, before: W | None) -> None:
        """Store the row of the work itself.

        :param before: the row as it was read; its holder and beat must be unchanged
        :raises TakenError: another process has written it since
        :raises UnavailableError: it can't be stored now
        """
        condition: Row = {"ConditionExpression": "attribute_not_exists(holder)"}
        if before is not None:
            condition = {
                "ConditionExpression": "holder = :holder AND beat = :beat",
                "ExpressionAttributeValues": {":holder": {"S": before.holder}, ":beat": {"N": str(before.beat)}},
            }
        try:
            with aws_errors(f"PutItem on task table {table}"):
                client.put_item(TableName=table, Item=self.key | own_row.stored(work), **condition)
        except ConditionFailedError as exc:
            raise self.taken(table) from exc

    def delete(self, client: DynamoDBClient, table: str, *, before: W) -> None:
        """Delete the work's row; those of its parts stay.

        :param before: the row as it was read; its holder and beat must be unchanged
        :raises TakenError: another process has written it since
        :raises UnavailableError: it can't be done now
        """
        try:
            with aws_errors(f"DeleteItem on task table {table}"):
                client.delete_item(
                    TableName=table,
                    Key=self.key,
                    # It is gone if only the answer to the first attempt was lost.
                    ConditionExpression="attribute_not_exists(holder) OR (holder = :holder AND beat = :beat)",
                    ExpressionAttributeValues={":holder": {"S": before.holder}, ":beat": {"N": str(before.beat)}},
                )
        except ConditionFailedError as exc:
            raise self.taken(table) from exc

    def join(
        self,
        client: DynamoDBClient,
        table: str,
        work: W,
        *,
        member: str,
        host: str,
        condition: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> W:
        """Add a member to the work, which must be the same, and running; returns its row.

        :param condition: what else must hold, with these values
        :raises TakenError: it is another one, or done
        :raises UnavailableError: it can't be stored now
        """
        row = self.update(
            client,
            table,
            "SET members.#member = :member, beat = beat + :one",
            condition="id = :id AND #state = :running" + (f" AND {condition}" if condition else ""),
            names={"#member": member, "#state": "state"},
            values={
                ":id": work.id,
                ":running": "running",
                ":member": {"host": host, "beat": 0},
                ":one": 1,
                **(values or {}),
            },
        )
        return self.parsed(row, table)

    def beat(self, client: DynamoDBClient, table: str, work: W, *, member: str) -> W:
        """Count the member's beat up; returns the work's row, with all members.

        :raises TakenError: the others have removed it, or the work was begun anew
        :raises UnavailableError: it can't be stored now
        """
        row = self.update(
            client,
            table,
            "SET members.#member.beat = members.#member.beat + :one, beat = beat + :one",
            condition="id = :id AND attribute_exists(members.#member)",
            names={"#member": member},
            values={":id": work.id, ":one": 1},
        )
        return self.parsed(row, table)

    def remove(self, client: DynamoDBClient, table: str, work: W, *, member: str, seen_beat: int) -> W:
        """Remove another member, which has not counted up its beat since; returns the work's row.

        :raises TakenError: it works, or is gone already
        :raises UnavailableError: it can't be stored now
        """
        seen = {":seen": seen_beat}
        return self._without(client, table, work, member=member, condition="members.#member.beat = :seen", values=seen)

    def leave(self, client: DynamoDBClient, table: str, work: W, *, member: str) -> W:
        """Remove oneself: then the others need not wait to take one's parts; returns the work's row.

        :raises TakenError: the others have done it, or the work was begun anew
        :raises UnavailableError: it can't be stored now
        """
        return self._without(client, table, work, member=member, condition="attribute_exists(members.#member)")

    def _without(
        self,
        client: DynamoDBClient,
        table: str,
        work: W,
        *,
        member: str,
        condition: str,
        values: Mapping[str, Any] | None = None,
    ) -> W:
        row = self.update(
            client,
            table,
            "REMOVE members.#member SET beat = beat + :one",
            condition=f"id = :id AND {condition}",
            names={"#member": member},
            values={":id": work.id, ":one": 1, **(values or {})},
        )
        return self.parsed(row, table)

    def parts(self, client: DynamoDBClient, table: str) -> list[Row]:
        """All rows of parts, of any work of this kind.

        :raises UnavailableError: the table can't be read
        """
        return self.scan(client, table, "begins_with(#name, :value)", f"{self.name}#", "name")

    def scan(self, client: DynamoDBClient, table: str, condition: str, value: str, *names: str) -> list[Row]:
        """Rows of the table for which a condition holds, in which ``:value`` stands for a text.

        :param names: attributes whose names stand in it behind a ``#``
        :raises UnavailableError: the table can't be read
        """
        found: list[Row] = []
        more: Row = {"ExpressionAttributeNames": {f"#{name}": name for name in names}} if names else {}
        while True:
            with aws_errors(f"Scan of task table {table}"):
                page: Any = client.scan(
                    TableName=table,
                    ConsistentRead=True,
                    FilterExpression=condition,
                    ExpressionAttributeValues={":value": {"S": value}},
                    **more,
                )
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                return found
            more["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def take(
        self,
        client: DynamoDBClient,
        table: str,
        number: int,
        *,
        holder: str,
        seen: str,
        update: str = "",
        unless: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> Row:
        """Make ``holder`` the only process that may go on with a part; returns its row.

        :param seen: who was seen to hold it, and works no more; empty where nobody did
        :param update: what else changes in the row, after ``SET holder = :holder``
        :param unless: a condition under which it can't be taken; both with these values
        :raises TakenError: another process has taken it since
        :raises UnavailableError: it can't be done now
        """
        row = own_row.update(
            client,
            table,
            self.part_key(number),
            f"SET holder = :holder{update}",
            # It is ours already if only the answer to the first attempt was lost.
            condition="(attribute_not_exists(holder) OR holder IN (:holder, :seen))"
            + (f" AND NOT ({unless})" if unless else ""),
            values={":holder": holder, ":seen": seen, **(values or {})},
            taken=self.taken,
        )
        return self.part_key(number) | row

    def save(self, client: DynamoDBClient, table: str, number: int, row: Row, *, holder: str) -> None:
        """Store a part's row.

        :param row: without its key and its holder
        :raises TakenError: another process has taken it over
        :raises UnavailableError: it can't be stored now
        """
        try:
            with aws_errors(f"PutItem on task table {table}", HarmlessWords((table,))):
                client.put_item(
                    TableName=table,
                    Item=self.part_key(number) | {"holder": {"S": holder}} | row,
                    ConditionExpression="holder = :holder",
                    ExpressionAttributeValues={":holder": {"S": holder}},
                )
        except ConditionFailedError as exc:
            raise self.taken(table) from exc

    def part_key(self, number: int) -> Row:
        """The key of a part's row."""
        return {"name": {"S": f"{self.name}#{number:06}"}}


def part_number(row: Row, table: str) -> int:
    """The number of the part that a row is about.

    :raises UnavailableError: it is about none
    """
    try:
        return int(row["name"]["S"].partition("#")[2])
    except (KeyError, ValueError) as exc:
        raise own_row.not_ours(table, row, exc) from exc
