"""Writes the heartbeat to the source; all daemons of a task together write one."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors
from processor.dynamodb.describe import described, key_types
from processor.errors import ConditionFailedError
from processor.metrics import heartbeat

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CLOCKS_DIFFER_SECONDS = 60


class HeartbeatWriter:
    """Writes the heartbeat, of which the settings ask for one in each interval.

    ::

        daemon 1   ──put──────────────────────put──────────▶   each put has the condition that the last one is an
        daemon 2   ────────refused───────────────refused───▶   interval old, so more daemons don't write more

    :param connect: the source's client
    :param seconds: the interval
    """

    def __init__(
        self,
        table: str,
        *,
        region: str,
        connect: Callable[[], DynamoDBClient],
        task_name: str,
        seconds: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._region = region
        self._connect = connect
        self._task_name = task_name
        self._seconds = seconds
        self._clock = clock
        self._key: dict[str, Any] | None = None

    def beat(self) -> bool:
        """Write it once, unless another daemon just has; returns whether it was written.

        :raises UnavailableError, RefusedError: it could not be written
        """
        now_ms = int(self._clock() * 1000)
        # Half an interval of tolerance: daemons' clocks and timers differ, and a refused write would be a missing one.
        # A heartbeat from the future is from a clock that is ahead, and must not keep the others from writing until
        # then.
        due, ahead = now_ms - self._seconds * 500, now_ms + max(self._seconds, _CLOCKS_DIFFER_SECONDS) * 1000
        call = f"PutItem (the heartbeat) on table {self._table} in {self._region}"
        try:
            with aws_errors(call):
                self._connect().put_item(
                    TableName=self._table,
                    Item={**self._own_key(call), heartbeat.WRITTEN_AT: {"N": str(now_ms)}},
                    ConditionExpression="attribute_not_exists(#at) OR #at <= :due OR #at > :ahead",
                    ExpressionAttributeNames={"#at": heartbeat.WRITTEN_AT},
                    ExpressionAttributeValues={":due": {"N": str(due)}, ":ahead": {"N": str(ahead)}},
                )
        except ConditionFailedError:
            return False
        return True

    def _own_key(self, call: str) -> dict[str, Any]:
        if self._key is None:
            table = described(self._connect(), self._table, call=call).table
            made: dict[str, Any] = heartbeat.key(key_types(table), self._task_name)
            self._key = {
                name: {kind: base64.b64decode(text) if kind == "B" else text for kind, text in value.items()}
                for name, value in made.items()
            }
        return self._key
