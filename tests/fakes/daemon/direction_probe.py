"""Whether both directions of a two-way task go on: what is written on either side arrives at the other one.

What was written at the spoke before the uplink began does not go up, so each try there is an item of its own.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from tests.fakes.patience import until

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    Side = tuple[DynamoDBClient, str]

# What the keys of its items begin with.
PREFIX = "probe-"
_TRY_EVERY_SECONDS = 0.5


class DirectionProbe:
    """Writes items, and looks for them at the other side.

    :param hub: its client and table, whose key is ``id``
    :param spoke: the same
    """

    def __init__(self, hub: Side, spoke: Side) -> None:
        self._hub, self._spoke = hub, spoke
        self._name = f"{PREFIX}{uuid.uuid4().hex[:8]}"
        self._tries: list[str] = []
        self._next_try = 0.0
        _put(hub, self._name)

    def __call__(self) -> bool:
        """Whether both have been seen to go on."""
        if time.monotonic() >= self._next_try:
            self._tries.append(f"{self._name}-{len(self._tries)}")
            _put(self._spoke, self._tries[-1])
            self._next_try = time.monotonic() + _TRY_EVERY_SECONDS
        return any(_has(self._hub, each) for each in self._tries) and _has(self._spoke, self._name)

    def wait(self) -> None:
        """Until both go on."""
        until(self, "what was written on either side, at the other one", pause_seconds=0.1)

    def remove(self) -> None:
        """Delete its items where they were written, and wait until they are gone on both sides."""
        for (client, table), keys in ((self._hub, [self._name]), (self._spoke, self._tries)):
            for key in keys:
                client.delete_item(TableName=table, Key={"id": {"S": key}})
        keys = [self._name, *self._tries]
        until(
            lambda: not any(_has(side, key) for side in (self._hub, self._spoke) for key in keys),
            "the probe's items gone",
            pause_seconds=0.1,
        )


def _put(side: Side, key: str) -> None:
    client, table = side
    client.put_item(TableName=table, Item={"id": {"S": key}})


def _has(side: Side, key: str) -> bool:
    client, table = side
    return "Item" in client.get_item(TableName=table, Key={"id": {"S": key}}, ConsistentRead=True)
