"""Makes live inserts, updates and deletes on a table, and counts how many of them have arrived at another one."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from processor.flow.chance import CHANCE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
PROBE_KEY = "probe"
_KEYS = 200
_LAG_SAMPLES = 1000


def create_table(client: DynamoDBClient, name: str, *, stream: bool) -> None:
    """A table with the string key ``id``."""
    specification: Any = (
        {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"} if stream else {"StreamEnabled": False}
    )
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification=specification,
    )


def scan(client: DynamoDBClient, name: str) -> dict[str, Item]:
    """Every item by its ``id``, read consistently; none while there is no such table."""
    found: dict[str, Item] = {}
    start: Any = {}
    while True:
        try:
            page = client.scan(TableName=name, ConsistentRead=True, **start)
        except client.exceptions.ResourceNotFoundException:
            return found
        found |= {item["id"]["S"]: item for item in page["Items"]}
        if "LastEvaluatedKey" not in page:
            return found
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


class Workload:
    """Writes to ``table`` until stopped; each write has a number, which a put leaves in the item as ``write``."""

    def __init__(self, client: DynamoDBClient, table: str, *, seed: int, pause_seconds: float) -> None:
        self._client = client
        self._table = table
        self._random = random.Random(seed)  # noqa: S311  # a workload, no secret
        self._pause = pause_seconds
        self._history: dict[str, list[tuple[int, bool]]] = {}  # key -> (number, was it a put), oldest first
        self._touched: dict[str, float] = {}  # key -> when it was last written, by the monotonic clock
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="workload", daemon=True)
        self.written = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the write in progress."""
        self._stop.set()
        self._thread.join()

    def arrived(self, items: Mapping[str, Item]) -> int:
        """How many writes ``items`` already shows, including writes that a later one has replaced."""
        with self._lock:
            return sum(_arrived(history, items.get(key)) for key, history in self._history.items())

    def written_since(self, moment: float) -> set[str]:
        """The keys that were written after ``moment``, of the monotonic clock, or are just being written."""
        with self._lock:
            return {key for key, written in self._touched.items() if written > moment}

    def _run(self) -> None:
        while not self._stop.is_set():
            key = f"order-{self._random.randrange(_KEYS):03d}"
            history = self._history.get(key, [])
            put = not history or not history[-1][1] or self._random.random() < 0.8  # noqa: PLR2004  # four updates a delete
            number = self.written + 1
            with self._lock:
                self._touched[key] = time.monotonic()
            if put:
                self._client.put_item(TableName=self._table, Item=self._item(key, number))
            else:
                self._client.delete_item(TableName=self._table, Key={"id": {"S": key}})
            with self._lock:
                self._history.setdefault(key, []).append((number, put))
                self._touched[key] = time.monotonic()
                self.written = number
            self._stop.wait(self._random.uniform(0, 2 * self._pause))

    def _item(self, key: str, number: int) -> Item:
        digits = "".join(self._random.choices("123456789", k=38))
        return {
            "id": {"S": key},
            "write": {"N": str(number)},
            "total": {"N": digits},
            "note": {"S": ""},
            "token": {"B": self._random.randbytes(12)},
            "tags": {"SS": ["live", f"n{number % 7}"]},
            "lines": {
                "L": [{"M": {"sku": {"S": f"sku-{number}"}, "gift": {"BOOL": number % 2 == 0}, "card": {"NULL": True}}}]
            },
        }


def _arrived(history: list[tuple[int, bool]], item: Item | None) -> int:
    if item is not None:
        return sum(number <= int(item["write"]["N"]) for number, _ in history)
    deletes = [position for position, (_, put) in enumerate(history) if not put]
    return deletes[-1] + 1 if deletes else 0


class LagProbe:
    """Measures source write → readable at the destination, one write each 0.3 to 0.8 s at random.

    A fixed pace would fall in step with the daemon's polling and measure only part of it.

    :param key: of the item that it writes
    """

    def __init__(
        self,
        source: DynamoDBClient,
        source_table: str,
        destination: DynamoDBClient,
        destination_table: str,
        *,
        key: str = PROBE_KEY,
    ) -> None:
        self._key = key
        self._source, self._source_table = source, source_table
        self._destination, self._destination_table = destination, destination_table
        self._touched = 0.0
        self._samples: deque[float] = deque(maxlen=_LAG_SAMPLES)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lag-probe", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a write still on its way is not counted."""
        self._stop.set()
        self._thread.join()

    def samples_seconds(self) -> list[float]:
        """The newest samples, the oldest first."""
        return list(self._samples)

    def written_since(self, moment: float) -> set[str]:
        """Its key, if that was written after ``moment``, of the monotonic clock."""
        return {self._key} if self._touched > moment else set()

    def _found(self) -> Item:
        """What the destination has of it; nothing while there is no such table."""
        key: Item = {"id": {"S": self._key}}
        try:
            answer = self._destination.get_item(TableName=self._destination_table, Key=key, ConsistentRead=True)
        except self._destination.exceptions.ResourceNotFoundException:
            return {}
        return answer.get("Item", {})

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            self._touched = time.monotonic()
            self._source.put_item(
                TableName=self._source_table, Item={"id": {"S": self._key}, "write": {"N": str(number)}}
            )
            written = time.monotonic()
            while not self._stop.is_set():
                if self._found().get("write", {}).get("N") == str(number):
                    if number > 1:  # the first one waits for the start
                        self._samples.append(time.monotonic() - written)
                    break
                self._stop.wait(0.005)
            self._stop.wait(CHANCE.uniform(0.3, 0.8))
