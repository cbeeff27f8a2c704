"""Writes the heartbeat to the source; all daemons of a task together write one."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors
from processor.dynamodb.describe import described, key_types
from processor.errors import ConditionFailedError, RefusedError, UnavailableError
from processor.flow.outage import Outage
from processor.metrics import heartbeat

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CLOCKS_DIFFER_SECONDS = 60


class HeartbeatWriter:
    """Writes the heartbeat, in a thread of its own, until it is stopped.

    ::

        daemon 1   ──put──────────────────────put──────────▶   each put has the condition that the last one is an
        daemon 2   ────────refused───────────────refused───▶   interval old, so more daemons don't write more

    :param connect: the source's client
    """

    def __init__(
        self,
        table: str,
        *,
        region: str,
        connect: Callable[[], DynamoDBClient],
        task_name: str,
        seconds: int,
        outage: Outage,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._region = region
        self._connect = connect
        self._task_name = task_name
        self._seconds = seconds
        self._outage = outage
        self._clock = clock
        self._key: dict[str, Any] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the write in progress, if there is one."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.beat()
            except (RefusedError, UnavailableError) as exc:
                self._outage.failed(exc.code, str(exc))
            else:
                self._outage.succeeded()
            self._stop.wait(self._seconds)

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
