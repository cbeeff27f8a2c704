"""Makes calls by a botocore client with JSON bytes as request and answer.

botocore would parse items into Python values, at several times the cost, and might change them. So the body of its
request is replaced by ours just before it is signed, and the body of the answer is taken before it is parsed. Signing,
credentials, endpoints, connections, retries and errors stay botocore's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec

from processor.aws.bounds import has_too_many_values
from processor.aws.errors import AnswerTooLargeError, NotDynamoDBError, aws_errors
from processor.aws.redaction import ALL_WORDS, HarmlessWords, content_type
from processor.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# botocore's method for each call, with the fewest parameters that it accepts; our body replaces them.
_METHODS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "GetItem": ("get_item", lambda table: {"TableName": table, "Key": {}}),
    "BatchGetItem": ("batch_get_item", lambda table: {"RequestItems": {table: {"Keys": [{}]}}}),
    "Scan": ("scan", lambda table: {"TableName": table}),
    "BatchWriteItem": ("batch_write_item", lambda table: {"RequestItems": {table: [{}]}}),
    "PutItem": ("put_item", lambda table: {"TableName": table, "Item": {}}),
    "DeleteItem": ("delete_item", lambda table: {"TableName": table, "Key": {}}),
    "UpdateItem": ("update_item", lambda table: {"TableName": table, "Key": {}}),
    "GetRecords": ("get_records", lambda _: {"ShardIterator": "i"}),
}
# The smallest valid answer of each.
_NOTHING = b'{"Items":[],"Responses":{}}'


class Units(msgspec.Struct, frozen=True, rename="pascal"):
    """The part of an answer that says what the call has consumed."""

    capacity_units: float | None = None


class _SwappedBodies:
    """Replaces the bodies of a client's requests and answers, in the threads that ask for it."""

    def __init__(self, client: Any) -> None:
        self.of_thread = threading.local()
        events, service = client.meta.events, client.meta.service_model.service_id.hyphenize()
        events.register(f"before-call.{service}", self._swap_request)
        events.register(f"before-send.{service}", self._send)
        events.register(f"before-parse.{service}", self._take_answer)

    def _swap_request(self, params: dict[str, Any], **_: object) -> None:
        if self._is_asked():
            params["body"] = self.of_thread.request

    def _send(self, **_: object) -> None:
        if self._is_asked():
            self.of_thread.before_send()

    def _take_answer(self, response_dict: dict[str, Any], **_: object) -> None:
        if self._is_asked() and response_dict["status_code"] == HTTPStatus.OK:
            self.of_thread.answer = response_dict["body"]
            response_dict["body"] = _NOTHING

    def _is_asked(self) -> bool:
        """Whether this thread's call is one of ours: the client may have other users."""
        return getattr(self.of_thread, "request", None) is not None


_of_clients: WeakKeyDictionary[Any, _SwappedBodies] = WeakKeyDictionary()


def prepare(client: Any) -> None:
    """Make a client ready for ``ClientCalls``, before any other thread has it.

    botocore keeps the handlers that it has found for an event. One that is registered while another thread looks for
    them is then never called (``HierarchicalEmitter._emit``): a request would ask for something else, or its answer be
    taken for none.
    """
    if client not in _of_clients:
        _of_clients[client] = _SwappedBodies(client)


class ClientCalls:
    """Calls of one client. Any number of threads may share it, and the client, if it was prepared.

    :param client: prepared here where it was not, which is safe as long as no other thread uses it
    """

    def __init__(self, client: Any) -> None:
        prepare(client)
        self._client = client
        self._of_thread = _of_clients[client].of_thread

    def call(
        self, operation: str, body: bytes, *, table: str = "table", before_send: Callable[[], None] = lambda: None
    ) -> bytes:
        """Make a call, as often as the client's configuration says.

        :param body: the request's JSON
        :param table: its table's name
        :param before_send: called before each request
        :returns: the answer's JSON, which is an object
        :raises ClientError, BotoCoreError, OSError: see ``aws_errors``
        :raises NotDynamoDBError: the answer is not DynamoDB's
        """
        method, parameters = _METHODS[operation]
        mine = self._of_thread
        mine.request, mine.answer, mine.before_send = body, b"", before_send
        try:
            answer = getattr(self._client, method)(**parameters(table))
            kind = answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", "json")
            if "json" not in kind:
                raise NotDynamoDBError(whose="DynamoDB's", fault=f"content type {content_type(kind)}")
            return bytes(mine.answer)
        finally:
            mine.request = None


class TableReads:
    """Reads of one table. Any number of threads may share it.

    :param connect: makes the client at the first call; others may use that client too
    """

    def __init__(self, table: str, *, region: str, connect: Callable[[], DynamoDBClient]) -> None:
        self.table = table
        self._region = region
        self._connect = connect
        self._lock = threading.Lock()
        self._calls: ClientCalls | None = None

    def __call__(self, operation: str, body: bytes) -> bytes:
        """One call of ``GetItem``, ``BatchGetItem`` or ``Scan``.

        :param body: the request's JSON
        :returns: the answer's JSON
        :raises RefusedError: DynamoDB will never answer this request
        :raises UnavailableError: it can't be answered now
        """
        # A scan's first page has no key to begin at.
        carries = operation != "Scan" or b'"ExclusiveStartKey"' in body
        with aws_errors(self.name(operation), HarmlessWords((self.table,)) if carries else ALL_WORDS):
            found = self._connected().call(operation, body, table=self.table)
        if has_too_many_values(found):
            message = f"{self.name(operation)}: the answer has more values than DynamoDB gives"
            raise UnavailableError(message, code=AnswerTooLargeError.code)
        return found

    def name(self, operation: str) -> str:
        """The call and its object, for messages."""
        return f"{operation} on table {self.table} in {self._region}"

    def not_dynamodb(self, operation: str, kind: str = "json") -> UnavailableError:
        """The exception for an answer that makes no sense: a proxy's page must not pass for "no such item"."""
        message = f"{self.name(operation)}: the answer is none of DynamoDB's (content type {kind})"
        return UnavailableError(message, code="NotDynamoDB")

    def _connected(self) -> ClientCalls:
        with self._lock:
            if self._calls is None:
                self._calls = ClientCalls(self._connect())
            return self._calls
