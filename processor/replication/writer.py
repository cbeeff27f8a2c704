"""The destination, written with the bytes of the source's images.

A client would want images parsed into Python values only to serialise them again; what is called instead is
``aws/direct_calls.py``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypedDict, TypeVar

import msgspec

from processor.aws.bounds import ROOM, has_more_values, has_too_many_values
from processor.aws.clients import write_client
from processor.aws.direct_calls import Calls, direct_calls
from processor.aws.errors import AnswerTooLargeError, aws_errors
from processor.aws.redaction import HarmlessWords
from processor.aws.response_shapes import NO_ANSWER
from processor.aws.sessions import MakeSession, session
from processor.aws.timeouts import WriteTimeouts
from processor.dynamodb.describe import described, key_types
from processor.errors import ConditionFailedError, UnavailableError
from processor.flow import rate_limiter
from processor.replication.change import Change, bytes_of
from processor.replication.unchanged import unchanged
from processor.replication.write_responses import (
    Batch,
    Exchanged,
    One,
    batch_decoder,
    exchanged_decoder,
    matching,
    one_decoder,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Required

# All threads of a shard meet refused credentials at once; one look a while is enough.
_RENEWAL_SECONDS = 5.0

# What ``exchange`` returns where nothing was written, because the item there was another one than was asked for.
OTHER = msgspec.Raw(b"")
# What it returns where a write never takes the place of a newer item, so that nobody need know which it was.
NOTHING_NEWER = msgspec.Raw(b"")

_Answer = TypeVar("_Answer", Batch, One, Exchanged)


class Table(Protocol):
    """What ``apply.py`` writes to; ``WritableTable`` and tests' fakes implement it."""

    name: str

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """Write changes of distinct keys in one call; returns those that the destination left undone."""

    def write_one(self, change: Change) -> bool:
        """Write one change in a call of its own; returns whether it was needed."""

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:
        """Write one change over the item that is ``there``; returns what it was really written over."""

    def renew_credentials(self) -> None:
        """Look credentials up anew."""


class TableOptions(TypedDict, total=False):
    """What ``WritableTable`` takes besides its name."""

    region: Required[str]
    endpoint: str | None
    connections: Required[int]
    timeouts: Required[WriteTimeouts]
    may_write: Callable[[], None]
    consumed: Callable[[float], None] | None
    make_session: MakeSession
    calls: Calls | None
    clock: Callable[[], float]


class WritableTable:
    """The destination, for puts and deletes of raw images. Any number of threads may share it.

    :param timeouts: how long a call may take, once it is allowed
    :param may_write: called as late as can be before each request; waits, or raises what the call then raises
    :param consumed: called with the write units of each call that DynamoDB is asked to tell of, for that
    :param calls: those of ``connect()`` of another one, from before this process was forked
    """

    def __init__(
        self,
        name: str,
        *,
        region: str,
        endpoint: str | None = None,
        connections: int,
        timeouts: WriteTimeouts,
        may_write: Callable[[], None] = lambda: None,
        consumed: Callable[[float], None] | None = None,
        make_session: MakeSession = session,
        calls: Calls | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._region = region
        self._endpoint = endpoint
        self._may_write = may_write
        self._consumed = consumed
        self._counted = b"" if consumed is None else b',"ReturnConsumedCapacity":"TOTAL"'
        self._connections = connections
        self._timeouts = timeouts
        self._make_session = make_session
        self._clock = clock
        self._renewal = threading.Lock()
        self._renewed = clock()
        self._calls = calls

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """BatchWriteItem.

        :param changes: 1 to 25, of distinct keys (see ``plan.calls``)
        :returns: those that came back unprocessed
        :raises RefusedError: one of them (the answer does not say which), or the call as a whole, is refused
        :raises UnavailableError: none, some or all are done; writing all of them again does no harm
        """
        requests = b",".join(
            [
                b'{"PutRequest":{"Item":%b}}' % bytes_of(change)
                if change.kind == "put"
                else b'{"DeleteRequest":{"Key":%b}}' % bytes_of(change)
                for change in changes
            ]
        )
        body = b'{"RequestItems":{"%b":[%b]}%b}' % (self.name.encode(), requests, self._counted)
        undone = self._send("BatchWriteItem", body, changes, batch_decoder).undone
        return matching(changes, undone) if undone else []

    def write_one(self, change: Change) -> bool:
        """PutItem or DeleteItem.

        :returns: True: whatever the table holds, it is written over
        :raises RefusedError: the destination will never accept it
        :raises UnavailableError: it may be done or not; writing it again does no harm
        """
        operation, member = ("PutItem", b"Item") if change.kind == "put" else ("DeleteItem", b"Key")
        request = b'{"TableName":"%b","%b":%b%b}'
        self._call_one(operation, request % (self.name.encode(), member, bytes_of(change), self._counted), change)
        return True

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:
        """The same, over the item that is ``there``, as far as a condition can ask for that; None: if there is none.

        :returns: the item that was there just before, or None; or ``OTHER``: nothing is written
        :raises UnavailableError: it may be done or not
        """
        is_put = change.kind == "put"
        request = {
            "TableName": self.name,
            "Item" if is_put else "Key": msgspec.Raw(bytes_of(change)),
            "ReturnValues": "ALL_OLD",
            **unchanged(there, change.key_names),
            **({} if self._consumed is None else {"ReturnConsumedCapacity": "TOTAL"}),
        }
        body = msgspec.json.encode(request)
        try:
            found = self._send("PutItem" if is_put else "DeleteItem", body, [change], exchanged_decoder).attributes
        except ConditionFailedError:
            return OTHER
        return found.copy() if bytes(found) else None

    def _call_one(self, operation: str, body: bytes, change: Change) -> None:
        self._send(operation, body, [change], one_decoder)

    def _send(
        self, operation: str, body: bytes, changes: Sequence[Change], decoder: msgspec.json.Decoder[_Answer]
    ) -> _Answer:
        with ROOM.call():
            with aws_errors(self._call(operation), HarmlessWords((self.name, *changes[0].key_names))):
                content = self._connected().call(operation, body, before_send=self._may_write)
                if has_too_many_values(content) if decoder is exchanged_decoder else has_more_values(content, body):
                    raise AnswerTooLargeError(whose="DynamoDB's", fault="it has more values than were written")
            try:
                answer = decoder.decode(content)
            except NO_ANSWER as exc:
                message = f"{self._call(operation)}: the answer is none of DynamoDB's ({type(exc).__name__})"
                raise UnavailableError(message, code="NotDynamoDB") from exc
            finally:
                del content  # an error is kept for as long as an outage
        if self._consumed is not None:
            self._consumed(rate_limiter.written(answer.units, (len(bytes_of(change)) for change in changes)))
        return answer

    def key_types(self) -> dict[str, str]:
        """DescribeTable: the key's attributes, each with its type (``S``, ``N`` or ``B``), as they are now.

        :raises UnavailableError: the table can't be asked for, or is in no state to be written
        """
        table = described(self._client(), self.name, call=self._call("DescribeTable")).table
        if table.get("TableStatus") not in ("ACTIVE", "UPDATING"):
            status = str(table.get("TableStatus"))
            raise UnavailableError(f"Table {self.name} in {self._region} is {status}, not ACTIVE", code=status)
        return key_types(table)

    def renew_credentials(self) -> None:
        """Make a new client: a session keeps the credentials that it found first, even if their file has changed since.

        :raises CredentialsError: none are there now; the client stays the one it was
        """
        with self._renewal:
            if self._clock() - self._renewed >= _RENEWAL_SECONDS:
                self._renewed = self._clock()
                self._calls = self._connect()

    def _connected(self) -> Calls:
        """Connect at the first write: credentials that are not there yet are then waited for."""
        if self._calls is None:
            with self._renewal:
                self._calls = self._calls or self._connect()
        return self._calls

    def connect(self) -> Calls:
        """Make what calls are made by, for processes that are forked from this one. No connection is opened yet.

        :raises UnavailableError: it can't be made now
        """
        return self._connect(forked=True)

    def _connect(self, *, forked: bool = False) -> Calls:
        with aws_errors(f"Client for dynamodb in {self._region}"):
            return direct_calls(
                self._client(),
                operation="BatchWriteItem",
                parameters={"RequestItems": {self.name: []}},
                forked=forked,
            )

    def _client(self) -> DynamoDBClient:
        return write_client(
            self._region,
            self._endpoint,
            connections=self._connections,
            timeouts=self._timeouts,
            make_session=self._make_session,
        )

    def _call(self, operation: str) -> str:
        return f"{operation} on table {self.name} in {self._region}"
