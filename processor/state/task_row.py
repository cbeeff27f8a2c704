"""Stores what a task replicates, in a table of ours beside the checkpoint table.

By this row a start that would do harm is refused: another replication under the same task name, or a stream that was
turned off and on again since the last checkpoint. When the checkpoint table is gone, the row no longer counts: that is
how a task is restarted from the beginning.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import msgspec

from processor.aws.errors import aws_errors
from processor.aws.lasting import lasts
from processor.dynamodb.describe import described_if_there
from processor.errors import (
    ConditionFailedError,
    InUseError,
    NotFoundError,
    NotReadyError,
    RefusedError,
    UnavailableError,
)
from processor.flow import shapes
from processor.state import own_row
from processor.system import program

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from processor.aws.clients import Clients
    from processor.settings.settings import Settings

_KEY = {"name": {"S": "task"}}
# In place of a view's digest: items may have been written by several views.
SEVERAL = "several"
_POLL_SECONDS = 0.5
_TIMEOUT_SECONDS = 300.0


class Task(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One task's row."""

    source_region: str
    source_table: str
    destination_region: str
    destination_table: str
    stream_arn: str
    destination_arn: str = ""  # tells accounts apart if regions and names are the same
    destination_endpoint: str = ""  # tells servers apart if even the ARNs are the same
    # The time of the first start, or of the start of a copy before it: milliseconds since the epoch, by the source's
    # clock. This is the moment for initialPositionInStream=LATEST. "0", all changes, if an earlier version began the
    # task.
    first_start_ms: str = ""
    # The view of the items (view/task_view.py) by which all of the destination was written; empty for whole items, and
    # SEVERAL where that is no longer known.
    view_digest: str = ""
    # The view that the daemon which was started last writes by, and of a two-way task that it is one.
    writing_digest: str = ""
    # Of a two-way task, the moment from which on every replicated write to the spoke bears a marker: milliseconds since
    # the epoch. The uplink's row has its mirror's, of the time of its own first start.
    two_way_since_ms: str = ""

    @property
    def claim(self) -> Task:
        """The row without what may differ between two starts of one task: the first one's time, views, directions."""
        return msgspec.structs.replace(self, first_start_ms="", view_digest="", writing_digest="", two_way_since_ms="")

    @property
    def tables(self) -> tuple[str, str, str, str]:
        """The names of source and destination, each after its region."""
        return self.source_region, self.source_table, self.destination_region, self.destination_table

    @property
    def path(self) -> str:
        """Source and destination, for people."""
        place = self.destination_endpoint or self.destination_arn
        return (
            f"{self.source_table} in {self.source_region} to {self.destination_table} in {self.destination_region}"
            f"{f' ({place})' if place else ''}"
        )


def of(settings: Settings, stream_arn: str, destination_arn: str = "", *, view_digest: str = "") -> Task:
    """The row that these settings would write.

    :param view_digest: of their view of the items
    """
    return Task(
        source_region=settings.source_region,
        source_table=settings.source_table,
        destination_region=settings.destination_region,
        destination_table=settings.destination_table,
        stream_arn=stream_arn,
        destination_arn=destination_arn,
        destination_endpoint=settings.destination_endpoint or "",
        view_digest=view_digest,
    )


def record(
    settings: Settings,
    clients: Clients,
    *,
    stream_arn: str,
    destination_arn: str,
    before: Task | None,
    now_ms: int,
    begun: bool = False,
    view_digest: str = "",
) -> Task:
    """Store what these settings replicate, and since when.

    :param before: the row as it was read
    :param now_ms: the current time, by the source's clock if that is known
    :param begun: whether shards have leases already
    :param view_digest: of the settings' view of the items
    :returns: the row as it is stored now
    :raises NotReadyError: another start wrote a different row in between, or we may not write it
    :raises UnavailableError: the table can't be made or written now
    """
    ours = since(of(settings, stream_arn, destination_arn, view_digest=view_digest), before, now_ms=now_ms, begun=begun)
    try:
        return write(clients.checkpoints(), settings.task_table, ours, before=before)
    except (UnavailableError, RefusedError) as exc:
        if not lasts(exc, settings.task_identity):
            raise
        message = (
            f"{exc}. The task can't be recorded, so nothing was started. Allow this call; {program.COMMAND} policy "
            "prints all that is needed."
        )
        raise NotReadyError(message) from exc


def since(ours: Task, before: Task | None, *, now_ms: int, begun: bool) -> Task:
    """The row with the time of its first start, and with the view by which the destination was written.

    The time is kept while the same tables are replicated. So is the view, unless this start writes by another one: from
    then on items of both may be there, whichever view the next start has, until a verify or a copy has made them one.

    If shards have leases already and the time isn't known, as where another program began the task, it is 0: what they
    have not replicated yet may be older than this start.

    :param before: the row as it was read
    :param now_ms: the current time, by the source's clock if that is known
    :param begun: whether shards have leases already
    """
    kept = before if before is not None and before.tables == ours.tables else None
    first = (kept.first_start_ms if kept else "") or ("0" if begun else str(now_ms))
    if kept is None:
        return msgspec.structs.replace(ours, first_start_ms=first)
    view = kept.view_digest if kept.view_digest == ours.view_digest else SEVERAL
    return msgspec.structs.replace(
        ours,
        first_start_ms=first,
        view_digest=view,
        writing_digest=kept.writing_digest,
        two_way_since_ms=kept.two_way_since_ms,
    )


def note_view(client: DynamoDBClient, table: str, view_digest: str) -> None:
    """Store that all of the destination is as this view of the items makes it.

    :raises UnavailableError: it can't be stored now, or we may not
    """
    try:
        own_row.update(
            client,
            table,
            _KEY,
            "SET viewDigest = :digest",
            condition="attribute_exists(streamArn)",
            values={":digest": view_digest},
        )
    except (ConditionFailedError, NotFoundError):
        return  # the task was never started


def read(client: DynamoDBClient, table: str) -> Task | None:
    """The row, or None if there is none.

    :raises UnavailableError: the table can't be read
    """
    item = own_row.read(client, table, _KEY)
    if item is None:
        return None
    try:
        return shapes.convert({name: value.get("S") for name, value in item.items()}, Task)
    except msgspec.ValidationError as exc:
        message = f"Task table {table} holds a row that is not ours ({exc})"
        raise UnavailableError(message, code=type(exc).__name__) from exc


def write(client: DynamoDBClient, table: str, task: Task, *, before: Task | None) -> Task:
    """Store the row. The table is made only if it is missing, so that writing needs no permission to make it.

    :param before: the row as it was read; of two starts at the same time, only one decides
    :returns: the row, or that of another start of the same task that was first
    :raises NotReadyError: another start wrote a different row in between
    :raises UnavailableError: the table can't be made or written
    """
    if task == before:
        return task
    try:
        try:
            _put(client, table, task, before)
        except NotFoundError:
            make_table(client, table)
            _put(client, table, task, before)
    except ConditionFailedError as exc:
        stored = read(client, table)
        if stored is None or stored.claim != task.claim:
            owner = stored.path if stored else "something else"
            message = (
                f"Task table {table}: another daemon has just claimed it for {owner}. Nothing was started. Give each "
                "replication a taskName of its own."
            )
            raise NotReadyError(message) from exc
        return stored
    return task


def _put(client: DynamoDBClient, table: str, task: Task, before: Task | None) -> None:
    item = _KEY | {name: {"S": value} for name, value in msgspec.to_builtins(task).items()}
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(streamArn)"}
    if before is not None:
        replaced = msgspec.to_builtins(before)
        condition = {
            "ConditionExpression": " AND ".join(
                f"({name} = :{name}{'' if value else f' OR attribute_not_exists({name})'})"
                for name, value in replaced.items()
            ),
            "ExpressionAttributeValues": {f":{name}": {"S": value} for name, value in replaced.items()},
        }
    with aws_errors(f"PutItem on task table {table}"):
        client.put_item(TableName=table, Item=item, **condition)


def make_table(client: DynamoDBClient, table: str) -> None:
    """Make the table and wait until it is active, also if another process is making it already."""
    if _status(client, table) is None:
        _create_table(client, table)
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    late = f"after {_TIMEOUT_SECONDS:.0f} s"
    while (status := _status(client, table)) != "ACTIVE":
        if time.monotonic() > deadline:
            if status is None:
                raise NotFoundError(f"Task table {table} is still missing {late}")
            raise UnavailableError(f"Task table {table} is still {status} {late}", code=status)
        time.sleep(_POLL_SECONDS)


def _status(client: DynamoDBClient, table: str) -> str | None:
    found = described_if_there(client, table, call=f"DescribeTable of task table {table}")
    return None if found is None else str(found["TableStatus"])


def _create_table(client: DynamoDBClient, table: str) -> None:
    with contextlib.suppress(InUseError), aws_errors(f"CreateTable of task table {table}"):
        client.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
