"""Proxies that keep the journal: in front of the destination and of the checkpoint table.

Who asks they know by the access key: each machine signs with one of its own.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.journal import FENCE, Applied, Checkpointed, Item, Journal, Started, Taken, digest
from tests.fakes.daemon import start_probe
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Answer, Exchange

_MOOT = b"ConditionalCheckFailedException"
_WRITE = re.compile(rb'"write":\s*{"N":\s*"(\d+)"')
_FENCE_VALUE = re.compile(r"\d{40}")
_STATE_SUFFIX = "-CoordinatorState"


class DestinationProxy(FaultProxy):
    """Notes in ``journal`` each write of ``table`` that the destination took or found moot."""

    def __init__(self, upstream: str, table: str, journal: Journal) -> None:
        super().__init__(upstream)
        self._table = table
        self._journal = journal
        self._sent: set[bytes] = set()

    def is_new(self, exchange: Exchange) -> bool:
        """Whether it puts what no request before it has put, be that one answered or not."""
        return not self._sent.issuperset(_WRITE.findall(exchange.body))

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """Ask the destination."""
        self._sent.update(_WRITE.findall(body))
        answer = self._ask(exchange, exchange.operation, body)
        done = answer.status == http.client.OK
        if exchange.operation in ("PutItem", "DeleteItem") and (done or _MOOT in answer.body):
            self._write(exchange, json.loads(body), moot=not done)
        elif exchange.operation == "BatchWriteItem" and done:
            for request in _batch(json.loads(body), json.loads(answer.body), self._table):
                self._write(exchange, request, moot=False)
        return answer

    def _write(self, exchange: Exchange, request: Item, *, moot: bool) -> None:
        item = request.get("Item")
        key = (item or request["Key"])["id"]["S"]
        if key.startswith(start_probe.PREFIX):
            return
        fence = _fence(request)
        self._journal.add(
            Applied,
            machine=exchange.access_key,
            key=key,
            number=int(item["write"]["N"]) if item else None,
            digest=digest(item) if item else None,
            fence=fence,
            moot=moot,
        )


def _batch(content: Item, answer: Item, table: str) -> Iterator[Item]:
    undone = answer.get("UnprocessedItems", {}).get(table, [])
    for request in content["RequestItems"][table]:
        if request not in undone:
            yield request.get("PutRequest") or request["DeleteRequest"]


def _fence(request: Item) -> int | None:
    """A fenced write's sequence number: in the item, and in the values of its condition."""
    values = [*request.get("ExpressionAttributeValues", {}).values(), request.get("Item", {}).get(FENCE, {})]
    found = {value["S"] for value in values if _FENCE_VALUE.fullmatch(value.get("S", ""))}
    return int(found.pop()) if len(found) == 1 else None


class CheckpointProxy(FaultProxy):
    """Notes each lease that is taken, each checkpoint that is stored, and each begin of a task in a daemon of many.

    :param journals: by the names of the tasks' checkpoint tables
    """

    def __init__(self, upstream: str, journals: Mapping[str, Journal]) -> None:
        super().__init__(upstream)
        self._journals = journals

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """Ask the checkpoint table."""
        if exchange.operation == "PutItem":
            self._begin(exchange, json.loads(body)["TableName"])
        answer = self._ask(exchange, exchange.operation, body)
        if exchange.operation == "UpdateItem" and answer.status == http.client.OK:
            content = json.loads(body)
            journal = self._journals.get(content["TableName"])
            if journal is not None and "leaseKey" in content["Key"]:
                _lease(journal, exchange.access_key, content)
        return answer

    def _begin(self, exchange: Exchange, table: str) -> None:
        """KCL's state table is written before a task looks for leases, and at no other time."""
        journal = self._journals.get(table.removesuffix(_STATE_SUFFIX))
        if journal is not None and table.endswith(_STATE_SUFFIX):
            journal.add(Started, machine=exchange.access_key)


def _lease(journal: Journal, machine: str, content: dict[str, Any]) -> None:
    shard, updates = content["Key"]["leaseKey"]["S"], content.get("AttributeUpdates", {})
    owner, checkpoint = (updates.get(name, {}).get("Value", {}).get("S") for name in ("leaseOwner", "checkpoint"))
    if owner is not None:
        journal.add(Taken, machine=machine, shard=shard, owner=owner)
    if checkpoint is not None:
        journal.add(Checkpointed, machine=machine, shard=shard, checkpoint=checkpoint)
