"""Consistent reads of single items, as the bytes that DynamoDB sent.

botocore would parse an item into Python values. So its request's body is swapped for ours, as ``WritableTable`` does,
and the answer's body is taken before botocore parses it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from processor.dynamodb import aws_errors
from processor.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class _Answer(msgspec.Struct, rename="pascal"):
    item: msgspec.Raw = msgspec.Raw(b"")


_decoder = msgspec.json.Decoder(_Answer)
_item_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class ReadableTable:
    """A table's items by their keys; satisfies ``reconcile.Source``. Any number of threads may share it.

    :param connect: makes the client at the first read; others may use that client too
    :param without: an attribute that is left out of each item
    """

    def __init__(
        self, name: str, *, region: str, connect: Callable[[], DynamoDBClient], without: str | None = None
    ) -> None:
        self.name = name
        self._call = f"GetItem on table {name} in {region}"
        self._connect = connect
        self._without = without
        self._lock = threading.Lock()
        self._client: DynamoDBClient | None = None
        self._current = threading.local()

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """GetItem with ConsistentRead.

        :param key: DynamoDB JSON
        :returns: the item's DynamoDB JSON, or None where there is no such item
        :raises RefusedError: it is no key of this table
        :raises UnavailableError: it can't be read now
        """
        client = self._connected()
        self._current.request = b'{"TableName":"%b","Key":%b,"ConsistentRead":true}' % (self.name.encode(), bytes(key))
        try:
            with aws_errors(self._call):
                answer = client.get_item(TableName=self.name, Key={})
            kind = answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", "json")
            return self._item(self._current.answer, kind)
        finally:
            self._current.request = self._current.answer = None

    def _item(self, body: bytes, kind: str) -> msgspec.Raw | None:
        # A proxy's page must not pass for "no such item": that would be deleted at the destination.
        try:
            if "json" in kind:
                item = _decoder.decode(body).item
                return self._stripped(item.copy()) if bytes(item) else None
        except msgspec.DecodeError:
            pass
        message = f"{self._call}: the answer is none of DynamoDB's (content type {kind})"
        raise UnavailableError(message, code="NotDynamoDB")

    def _stripped(self, item: msgspec.Raw) -> msgspec.Raw:
        if self._without is None:
            return item
        attributes = _item_decoder.decode(item)
        attributes.pop(self._without, None)
        return msgspec.Raw(msgspec.json.encode(attributes))

    def _connected(self) -> DynamoDBClient:
        with self._lock:
            if self._client is None:
                client = self._connect()
                client.meta.events.register("before-call.dynamodb.GetItem", self._swap_request)
                client.meta.events.register("before-parse.dynamodb.GetItem", self._keep_answer)
                self._client = client
            return self._client

    def _swap_request(self, params: dict[str, Any], **_: object) -> None:
        if getattr(self._current, "request", None) is not None:  # else the call is another user's of this client
            params["body"] = self._current.request

    def _keep_answer(self, response_dict: dict[str, Any], **_: object) -> None:
        self._current.answer = response_dict["body"]
