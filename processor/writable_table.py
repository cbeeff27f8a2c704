"""The destination, written with the bytes of the source's images.

botocore would want images parsed into Python values only to serialise them again, at several times the cost; so it is
called with an empty request, whose body is swapped for ours just before it is signed. Signing, credentials, endpoints,
connections and the parsing of answers stay botocore's.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from processor.dynamodb import MakeSession, aws_errors, session, write_client
from processor.errors import UnavailableError
from processor.lease_term import WriteTimeouts
from processor.plan import bytes_of
from processor.records import Change, key_identity
from processor.redaction import without_values

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# All threads of a shard meet refused credentials at once; one look a while is enough.
_RENEWAL_SECONDS = 5.0


class Table(Protocol):
    """What apply.py writes to; ``WritableTable`` and the tests' fakes."""

    name: str

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """Write changes of distinct keys in one call; returns those that the destination left undone."""

    def write_one(self, change: Change) -> bool:
        """Write one change in a call of its own; returns whether it was needed."""

    def renew_credentials(self) -> None:
        """Look credentials up anew."""


class WritableTable:
    """The destination, for puts and deletes of raw images. Any number of threads may share it.

    :param timeouts: how long a call may take, once it is allowed
    :param may_write: called as late as can be before each request; waits, or raises what the call then raises
    :param consumed: called with the write units of each call that DynamoDB is asked to tell of, for that
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
        self._bodies = threading.local()
        self._clock = clock
        self._renewal = threading.Lock()
        self._renewed = clock()
        self._client: DynamoDBClient | None = None

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """BatchWriteItem.

        :param changes: 1 to 25, of distinct keys (see ``plan.calls``)
        :returns: those that came back unprocessed
        :raises RefusedError: one of them (the answer does not say which), or the call as a whole, is refused
        :raises UnavailableError: none, some or all are done; writing all of them again does no harm
        """
        requests = b",".join(
            b'{"PutRequest":{"Item":%b}}' % bytes_of(change)
            if change.kind == "put"
            else b'{"DeleteRequest":{"Key":%b}}' % bytes_of(change)
            for change in changes
        )
        body = b'{"RequestItems":{"%b":[%b]}%b}' % (self.name.encode(), requests, self._counted)
        with self._errors("BatchWriteItem", changes), self._raw(body):
            answer = self._connected().batch_write_item(RequestItems={})
        self._check_answer("BatchWriteItem", answer)
        # Whatever name the answer gives the table, there was only one.
        undone = [request for requests in answer.get("UnprocessedItems", {}).values() for request in requests]
        return _matching(changes, undone) if undone else []

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

    def _call_one(self, operation: str, body: bytes, change: Change) -> None:
        with self._errors(operation, [change]), self._raw(body):
            client = self._connected()
            if operation == "PutItem":
                self._check_answer(operation, client.put_item(TableName=self.name, Item={}))
            else:
                self._check_answer(operation, client.delete_item(TableName=self.name, Key={}))

    def key_types(self) -> dict[str, str]:
        """DescribeTable: the key's attributes, each with its type (``S``, ``N`` or ``B``), as they are now.

        :raises UnavailableError: the table can't be asked for, or is in no state to be written
        """
        with aws_errors(self._call("DescribeTable")):
            table = self._connected().describe_table(TableName=self.name)["Table"]
        if table.get("TableStatus") not in ("ACTIVE", "UPDATING"):
            status = str(table.get("TableStatus"))
            raise UnavailableError(f"Table {self.name} in {self._region} is {status}, not ACTIVE", code=status)
        types = {part["AttributeName"]: str(part["AttributeType"]) for part in table["AttributeDefinitions"]}
        return {part["AttributeName"]: types[part["AttributeName"]] for part in table["KeySchema"]}

    def renew_credentials(self) -> None:
        """Look again: a session keeps the credentials it found first, even from a file that has changed since.

        :raises CredentialsError: none are there now; the client stays the one it was
        """
        with self._renewal:
            if self._clock() - self._renewed >= _RENEWAL_SECONDS:
                self._renewed = self._clock()
                self._client = self._connect()

    def _connected(self) -> DynamoDBClient:
        """Make the client at the first write: credentials that are not there yet are then waited for."""
        if self._client is None:
            with self._renewal:
                self._client = self._client or self._connect()
        return self._client

    def _connect(self) -> DynamoDBClient:
        client = write_client(
            self._region,
            self._endpoint,
            connections=self._connections,
            timeouts=self._timeouts,
            make_session=self._make_session,
        )
        for operation in ("BatchWriteItem", "PutItem", "DeleteItem"):
            client.meta.events.register(f"before-call.dynamodb.{operation}", self._swap_body)
            # After credentials were looked up and the request was signed, which may take its time.
            client.meta.events.register(f"before-send.dynamodb.{operation}", self._check_may_write)
        return client

    @contextmanager
    def _raw(self, body: bytes) -> Iterator[None]:
        self._bodies.current = body
        try:
            yield
        finally:
            self._bodies.current = None

    def _swap_body(self, params: dict[str, Any], **_: object) -> None:
        params["body"] = self._bodies.current

    def _check_may_write(self, **_: object) -> None:
        self._may_write()

    def _check_answer(self, operation: str, answer: Mapping[str, Any]) -> None:
        """Refuse to take a proxy's page for a confirmed write: botocore reads any 200 that is no JSON as empty."""
        kind = answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", "json")
        if "json" not in kind:
            message = f"{self._call(operation)}: the answer is none of DynamoDB's (content type {kind})"
            raise UnavailableError(message, code="NotDynamoDB")
        if self._consumed is not None and (consumed := answer.get("ConsumedCapacity")):
            each = consumed if isinstance(consumed, list) else [consumed]
            self._consumed(sum(part.get("CapacityUnits", 0.0) for part in each))

    def _errors(self, operation: str, changes: Sequence[Change]) -> AbstractContextManager[None]:
        """What the destination says of an item may be shown, what it repeats of it may not."""
        return aws_errors(self._call(operation), lambda text: without_values(text, map(bytes_of, changes)))

    def _call(self, operation: str) -> str:
        return f"{operation} on table {self.name} in {self._region}"


def _matching(changes: Sequence[Change], undone: Sequence[Mapping[str, Any]]) -> list[Change]:
    """The changes whose keys are among BatchWriteItem's UnprocessedItems, as botocore parsed them."""
    names = changes[0].key_names
    by_identity = {change.identity: change for change in changes}
    try:
        return [by_identity[_identity(request, names)] for request in undone]
    except (ArithmeticError, LookupError, ValueError):
        return list(changes)  # an answer we can't read: writing all of them again does no harm


def _identity(request: Mapping[str, Any], names: Sequence[str]) -> bytes:
    item = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    return key_identity({name: _as_json(item[name]) for name in names if name in item})


def _as_json(value: Mapping[str, Any]) -> dict[str, str]:
    ((kind, content),) = value.items()
    return {kind: base64.b64encode(content).decode() if kind == "B" else content}
