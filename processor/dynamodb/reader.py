"""Reads items by key, strongly consistently, as the bytes that DynamoDB sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from processor.aws.client_calls import TableReads, Units
from processor.aws.errors import AnswerTooLargeError
from processor.aws.response_shapes import NO_ANSWER
from processor.dynamodb.item_view import UNSEEN, View
from processor.errors import ThrottledError, UnavailableError
from processor.flow import rate_limiter, shapes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# BatchGetItem's limit (DynamoDB API reference).
MAX_KEYS_PER_CALL = 100


class _Item(msgspec.Struct, rename="pascal"):
    item: msgspec.Raw = msgspec.Raw(b"")
    consumed_capacity: Units = Units()

    def __post_init__(self) -> None:
        """Whatever is no object is no item, and its answer none; msgspec has no type for the bytes of an object."""
        if bytes(memoryview(self.item)[:1]) not in (b"", b"{"):
            raise ValueError("Item is no object")


class _Keys(msgspec.Struct, rename="pascal"):
    keys: list[msgspec.Raw] = []


class _Items(msgspec.Struct, rename="pascal"):
    responses: dict[str, list[msgspec.Raw]]
    unprocessed_keys: dict[str, _Keys] = {}
    consumed_capacity: list[Units] = []


one_decoder = shapes.decoder(_Item)
many_decoder = shapes.decoder(_Items)


class ReadableTable:
    """A table's items by key; implements ``reconcile.Source``. Any number of threads may share it.

    :param connect: makes the client at the first read; others may use that client, too
    :param view: applied to each item; an item for which it returns None is treated as missing
    :param marks_unseen: unless it is to be ``UNSEEN``
    :param consumed: called with the read units that each call consumed
    """

    def __init__(
        self,
        name: str,
        *,
        region: str,
        connect: Callable[[], DynamoDBClient],
        view: View | None = None,
        marks_unseen: bool = False,
        consumed: Callable[[float], None] | None = None,
    ) -> None:
        self.name = name
        self._call = TableReads(name, region=region, connect=connect)
        self._view = view
        self._unseen = UNSEEN if marks_unseen else None
        self._consumed = consumed
        self._counted = b"" if consumed is None else b',"ReturnConsumedCapacity":"TOTAL"'

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """GetItem with ConsistentRead.

        :param key: DynamoDB JSON
        :returns: the item's DynamoDB JSON, or None where there is no such item
        :raises RefusedError: it is not a key of this table
        :raises UnavailableError: it can't be read now
        """
        request = b'{"TableName":"%b","Key":%b,"ConsistentRead":true%b}'
        answer = self._call("GetItem", request % (self.name.encode(), bytes(key), self._counted))
        try:
            found = one_decoder.decode(answer)
        except NO_ANSWER as exc:
            raise self._call.not_dynamodb("GetItem") from exc
        if self._consumed is not None:
            item = [len(bytes(found.item))]
            self._consumed(rate_limiter.read(found.consumed_capacity.capacity_units, item))
        return self._seen(found.item.copy()) if bytes(found.item) else None

    def get_many(self, keys: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
        """BatchGetItem with ConsistentRead, in as many calls as needed.

        :param keys: DynamoDB JSON; any number of distinct ones
        :returns: the items that exist, in any order
        :raises RefusedError: one of them is not a key of this table
        :raises UnavailableError: they can't be read now, or a call processed no key
        """
        return [seen for _, seen in self.get_pairs(keys) if seen is not None and seen is not UNSEEN]

    def get_pairs(self, keys: Sequence[msgspec.Raw]) -> list[tuple[msgspec.Raw, msgspec.Raw | None]]:
        """The same, each item as it is there, and what ``get`` would return of it."""
        pending, found, most = list(keys), list[tuple[msgspec.Raw, msgspec.Raw | None]](), MAX_KEYS_PER_CALL
        while pending:
            asked, pending = pending[:most], pending[most:]
            try:
                answer = self._get_some(asked)
            except UnavailableError as exc:
                if exc.code != AnswerTooLargeError.code or len(asked) == 1:
                    raise
                # The answer may have been too large, as with items of many short attributes; a single item's never is.
                most, pending = (len(asked) + 1) // 2, asked + pending
                continue
            items = [item for table in answer.responses.values() for item in table]
            undone = [key for table in answer.unprocessed_keys.values() for key in table.keys]
            if len(undone) >= len(asked):
                message = f"{self._call.name('BatchGetItem')}: none of {len(asked)} keys was processed"
                raise ThrottledError(message, code="UnprocessedKeys")
            found += [(item, self._seen(item)) for item in items]
            pending += undone
        return found

    def _get_some(self, keys: Sequence[msgspec.Raw]) -> _Items:
        request = b'{"RequestItems":{"%b":{"Keys":[%b],"ConsistentRead":true}}%b}'
        body = request % (self.name.encode(), b",".join(map(bytes, keys)), self._counted)
        try:
            answer = many_decoder.decode(self._call("BatchGetItem", body))
        except NO_ANSWER as exc:
            raise self._call.not_dynamodb("BatchGetItem") from exc
        if self._consumed is not None:
            units = sum(each.capacity_units or 0.0 for each in answer.consumed_capacity)
            sizes = [len(bytes(item)) for items in answer.responses.values() for item in items]
            undone = sum(len(table.keys) for table in answer.unprocessed_keys.values())
            self._consumed(rate_limiter.read(units, sizes, missing=max(0, len(keys) - undone - len(sizes))))
        return answer

    def _seen(self, item: msgspec.Raw) -> msgspec.Raw | None:
        if self._view is None:
            return item
        seen = self._view(item)
        return self._unseen if seen is None else seen
