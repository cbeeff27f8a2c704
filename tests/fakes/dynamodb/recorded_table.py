"""A DynamoDB of recorded answers, in a process of its own: tables of any size that cost next to nothing to serve.

Tables whose names begin with ``recorded`` hold the same items, those that begin with ``recorded-otherwise`` with their
attributes in another order, those that begin with ``recorded-elsewhere`` in another order of pages; any other is there,
empty, and takes every write. Items are made by their keys: ``PPPPPP-NNNN`` is item N of page P, and a page is one
template with its number put in. So a million items take no memory, and reads by key find what the scan gave. Raw
asyncio, since the bench shares its CPUs.
"""

from __future__ import annotations

import argparse
import collections
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from tests.fakes.dynamodb.attribute_values import size_bytes
from tests.fakes.network.raw_http import ServerProcess, response, serve

PREFIX = "recorded"
OTHERWISE = f"{PREFIX}-otherwise"
ELSEWHERE = f"{PREFIX}-elsewhere"
# Scan's limit, as DynamoDB counts sizes (API reference).
PAGE_BYTES = 1024 * 1024
# DescribeTimeToLive's answer for a table without TTL.
TTL_OFF = b'{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}'
_PAGE_MARK = b"@@@@@@"


class RecordedTable(ServerProcess):
    """The server, from outside; it counts ``items`` that scans gave, and ``writes`` that BatchWriteItem took, too.

    :param items: of each recorded table
    :param item_bytes: of each item, as DynamoDB counts
    :param latency_ms: how long each answer takes
    """

    def __init__(self, *, items: int, item_bytes: int = 300, latency_ms: float = 0.0) -> None:
        super().__init__(
            "tests.fakes.dynamodb.recorded_table",
            f"--items={items}",
            f"--item-bytes={item_bytes}",
            f"--latency-ms={latency_ms}",
        )


class Recording:
    """What the tables answer; the private methods take a request's content and give an answer's JSON."""

    def __init__(self, *, items: int, item_bytes: int, delay_seconds: float = 0.0) -> None:
        self.delay_seconds = delay_seconds
        self.counts: collections.Counter[str] = collections.Counter()
        self._total = items
        self._items = _page_items(item_bytes, PAGE_BYTES // item_bytes)
        self._otherwise = list(map(_otherwise, self._items))
        self._full_page, self._full_page_otherwise = b",".join(self._items), b",".join(self._otherwise)
        self._pages = -(-items // len(self._items))
        self._bytes = items * item_bytes
        self._units = -(-item_bytes // 1024)
        self._calls: dict[str, Callable[[dict[str, Any]], bytes]] = {
            "Scan": self._scan,
            "GetItem": self._get,
            "BatchGetItem": self._get_many,
            "DescribeTable": self._describe,
            "DescribeTimeToLive": lambda _: TTL_OFF,
            "DescribeStream": lambda _: b'{"StreamDescription":{"StreamStatus":"ENABLED","Shards":[]}}',
        }

    def answer(self, operation: str, body: bytes) -> bytes:
        """Whatever it doesn't know is answered with ``{}``."""
        return response(self._content(operation, body))

    def _content(self, operation: str, body: bytes) -> bytes:
        if operation == "BatchWriteItem":
            writes = body.count(b'{"PutRequest"') + body.count(b'{"DeleteRequest"')
            self.counts["writes"] += writes
            if b'"ReturnConsumedCapacity"' in body:
                return b'{"UnprocessedItems":{},"ConsumedCapacity":[{"CapacityUnits":%d}]}' % (writes * self._units)
            return b'{"UnprocessedItems":{}}'
        call = self._calls.get(operation)
        return b"{}" if call is None else call(msgspec.json.decode(body))

    def _scan(self, asked: dict[str, Any]) -> bytes:
        """Page P is in segment P modulo their number."""
        if not asked["TableName"].startswith(PREFIX):
            return b'{"Items":[],"Count":0,"ScannedCount":0}'
        step = asked.get("TotalSegments", 1)
        number = asked.get("Segment", 0)
        is_elsewhere = asked["TableName"].startswith(ELSEWHERE)
        if "ExclusiveStartKey" in asked:
            number = int(asked["ExclusiveStartKey"]["id"]["S"][:6])
            number = (self._elsewhere(number) if is_elsewhere else number) + step
        place, number = number, self._elsewhere(number) if is_elsewhere else number
        count = max(0, min(len(self._items), self._total - number * len(self._items)))
        self.counts["items"] += count
        items, page = self._items, self._full_page
        if asked["TableName"].startswith(OTHERWISE):
            items, page = self._otherwise, self._full_page_otherwise
        page = (page if count == len(items) else b",".join(items[:count])).replace(_PAGE_MARK, b"%06d" % number)
        last = b""
        if place + step < self._pages:
            last = b',"LastEvaluatedKey":{"id":{"S":"%06d-%04d"}}' % (number, count - 1)
        return b'{"Items":[%b],"Count":%d,"ScannedCount":%d%b%b}' % (page, count, count, last, _units(asked, 128.0))

    def _elsewhere(self, number: int) -> int:
        """Which page stands in this one's place, and the other way round: the full ones from the last to the first."""
        full = self._total // len(self._items)
        return full - 1 - number if number < full else number

    def _get(self, asked: dict[str, Any]) -> bytes:
        item = self._item(asked["TableName"], asked["Key"])
        return b"{}" if item is None else b'{"Item":%b}' % item

    def _get_many(self, asked: dict[str, Any]) -> bytes:
        ((table, wanted),) = asked["RequestItems"].items()
        found = [item for key in wanted["Keys"] if (item := self._item(table, key)) is not None]
        return b'{"Responses":{"%b":[%b]},"UnprocessedKeys":{}}' % (table.encode(), b",".join(found))

    def _item(self, table: str, key: dict[str, Any]) -> bytes | None:
        page, _, place = key.get("id", {}).get("S", "").partition("-")
        if not (table.startswith(PREFIX) and page.isdigit() and place.isdigit() and int(place) < len(self._items)):
            return None
        if int(page) * len(self._items) + int(place) >= self._total:
            return None
        items = self._otherwise if table.startswith(OTHERWISE) else self._items
        return items[int(place)].replace(_PAGE_MARK, page.encode())

    def _describe(self, asked: dict[str, Any]) -> bytes:
        name, full = asked["TableName"], asked["TableName"].startswith(PREFIX)
        size = {"ItemCount": self._total if full else 0, "TableSizeBytes": self._bytes if full else 0}
        return described(name, **size)


def described(name: str, **more: Any) -> bytes:
    """DescribeTable's answer for a table on demand with the string key ``id`` and a stream.

    :param more: what else it has, or has otherwise
    """
    arn = f"arn:aws:dynamodb:eu-west-1:000000000000:table/{name}"
    table = {
        "TableName": name,
        "TableStatus": "ACTIVE",
        "TableArn": arn,
        "TableId": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        "LatestStreamArn": f"{arn}/stream/2026-01-01T00:00:00.000",
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 0},
        **more,
    }
    return msgspec.json.encode({"Table": table})


def _page_items(item_bytes: int, count: int) -> list[bytes]:
    """Items as orders have them: texts, numbers, a set."""
    items = []
    for number in range(count):
        item: dict[str, Any] = {
            "id": {"S": f"{_PAGE_MARK.decode()}-{number:04}"},
            "customer": {"S": f"customer-{number * 7919 % 10_000:05}"},
            "total": {"N": f"{number % 900 + 100}.{number % 90 + 10}"},
            "createdAt": {"N": f"17{number:011}"},
            "tags": {"SS": ["express", "gift"]},
        }
        filler = item_bytes - size_bytes(item) - len("note")
        items.append(msgspec.json.encode({**item, "note": {"S": "x" * filler}}))
    return items


def _otherwise(item: bytes) -> bytes:
    return msgspec.json.encode(dict(reversed(msgspec.json.decode(item).items())))


def _units(asked: dict[str, Any], units: float) -> bytes:
    if "ReturnConsumedCapacity" not in asked:
        return b""
    return b',"ConsumedCapacity":{"TableName":"%b","CapacityUnits":%f}' % (asked["TableName"].encode(), units)


def main() -> None:
    """Serve until standard input ends; the port is the first line of standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--item-bytes", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    given = parser.parse_args()
    serve(Recording(items=given.items, item_bytes=given.item_bytes, delay_seconds=given.latency_ms / 1000))


if __name__ == "__main__":
    main()
