"""DynamoDB calls whose request and answer are JSON bytes.

botocore would parse items into Python values, at several times the cost and with something to lose. So its request's
body is swapped for ours just before it is signed, and the answer's is taken before it is parsed. Signing, credentials,
endpoints, connections, retries and errors stay botocore's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from processor.aws.bounds import has_too_many_values
from processor.aws.errors import AnswerTooLargeError, aws_errors
from processor.aws.redaction import ALL_WORDS, HarmlessWords, content_type
from processor.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# botocore's method of each call, with the least parameters that it accepts in the place of ours.
_METHODS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "GetItem": ("get_item", lambda table: {"TableName": table, "Key": {}}),
    "BatchGetItem": ("batch_get_item", lambda table: {"RequestItems": {table: {"Keys": [{}]}}}),
    "Scan": ("scan", lambda table: {"TableName": table}),
}


class Units(msgspec.Struct, frozen=True, rename="pascal"):
    """The part of an answer that says what the call has cost."""

    capacity_units: float | None = None


class RawCalls:
    """Reads of one table. Any number of threads may share it.

    :param connect: makes the client at the first call; others may use that client too
    """

    def __init__(self, table: str, *, region: str, connect: Callable[[], DynamoDBClient]) -> None:
        self.table = table
        self._region = region
        self._connect = connect
        self._lock = threading.Lock()
        self._client: DynamoDBClient | None = None
        self._current = threading.local()

    def __call__(self, operation: str, body: bytes) -> bytes:
        """One call of ``GetItem``, ``BatchGetItem`` or ``Scan``.

        :param body: the request's JSON
        :returns: the answer's JSON
        :raises RefusedError: DynamoDB will never answer this request
        :raises UnavailableError: it can't be answered now
        """
        client = self._connected()
        method, parameters = _METHODS[operation]
        self._current.request = body
        try:
            # A scan's first page is asked for without a key.
            carries = operation != "Scan" or b'"ExclusiveStartKey"' in body
            with aws_errors(self.name(operation), HarmlessWords((self.table,)) if carries else ALL_WORDS):
                answer = getattr(client, method)(**parameters(self.table))
            kind = answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", "json")
            if "json" not in kind:
                raise self.not_dynamodb(operation, content_type(kind))
            found = bytes(self._current.answer)
            if has_too_many_values(found):
                message = f"{self.name(operation)}: the answer has more values than DynamoDB gives"
                raise UnavailableError(message, code=AnswerTooLargeError.code)
            return found
        finally:
            self._current.request = self._current.answer = None

    def name(self, operation: str) -> str:
        """The call and its object, for messages."""
        return f"{operation} on table {self.table} in {self._region}"

    def not_dynamodb(self, operation: str, kind: str = "json") -> UnavailableError:
        """For an answer that makes no sense: a proxy's page must not pass for "no such item"."""
        message = f"{self.name(operation)}: the answer is none of DynamoDB's (content type {kind})"
        return UnavailableError(message, code="NotDynamoDB")

    def _connected(self) -> DynamoDBClient:
        with self._lock:
            if self._client is None:
                client = self._connect()
                for operation in _METHODS:
                    client.meta.events.register(f"before-call.dynamodb.{operation}", self._swap_request)
                    client.meta.events.register(f"before-parse.dynamodb.{operation}", self._take_answer)
                self._client = client
            return self._client

    def _swap_request(self, params: dict[str, Any], **_: object) -> None:
        if self._is_ours():
            params["body"] = self._current.request

    def _take_answer(self, response_dict: dict[str, Any], **_: object) -> None:
        if self._is_ours() and response_dict["status_code"] == HTTPStatus.OK:
            self._current.answer = response_dict["body"]
            response_dict["body"] = b'{"Items":[],"Responses":{}}'  # the least that is an answer of each

    def _is_ours(self) -> bool:
        """Whether this thread's call was made here: the client may have other users."""
        return getattr(self._current, "request", None) is not None
