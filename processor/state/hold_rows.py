"""Keeps one shard's rows in the task table up to date, in a thread that never delays the writing of records."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from processor.errors import CredentialsError, RefusedError, UnavailableError
from processor.flow.outage import Outage
from processor.flow.retry_policy import HOLD_ROWS, Backoff
from processor.state import holds
from processor.state.holds import Hold, Kind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class HoldRows:
    """Any thread may set a row; one thread of its own, started with the first row, writes them.

    :param connect: makes a client of the task table
    """

    def __init__(self, connect: Callable[[], DynamoDBClient], table: str, shard_id: str, outage: Outage) -> None:
        self._connect = connect
        self._table = table
        self._shard_id = shard_id
        self._outage = outage
        self._changed = threading.Condition()
        self._wanted: dict[Kind, Hold | None] = {}
        self._thread: threading.Thread | None = None
        self._client: DynamoDBClient | None = None

    def set(self, kind: Kind, hold: Hold | None) -> None:
        """Let the row of this kind be stored, or removed. Returns at once."""
        with self._changed:
            self._wanted[kind] = hold
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="hold-rows", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _work(self) -> None:
        backoff = Backoff(HOLD_ROWS)
        while True:
            with self._changed:
                while not self._wanted:
                    self._changed.wait()
                kind, hold = self._wanted.popitem()
            try:
                self._write(kind, hold)
            except (UnavailableError, RefusedError) as exc:
                if hold is None and isinstance(exc, (CredentialsError, RefusedError)):
                    continue  # no harm if the row stays: the checkpoint shows that it is over (``Hold.is_over``)
                self._outage.failed(exc.code, str(exc))
                with self._changed:
                    self._wanted.setdefault(kind, hold)
                    self._changed.wait(backoff.next_seconds())
            else:
                self._outage.succeeded()
                backoff.reset()

    def _write(self, kind: Kind, hold: Hold | None) -> None:
        try:
            self._client = self._client or self._connect()
            if hold is None:
                holds.remove(self._client, self._table, kind, self._shard_id)
            else:
                holds.put(self._client, self._table, hold)
        except CredentialsError:
            self._client = None
            raise
