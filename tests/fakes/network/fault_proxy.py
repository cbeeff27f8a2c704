"""An HTTP proxy in front of a DynamoDB endpoint which goes wrong on demand, and knows every write that it let through.

::

    with FaultProxy("http://127.0.0.1:8000") as proxy:      # its clients use proxy.endpoint
        proxy.inject(faults.error("ThrottlingException"), "BatchWriteItem", times=3)    # see faulty_server.py
        proxy.writes                    # what DynamoDB took, in order
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.fakes.network.faulty_server import Answer, Exchange, FaultyServer
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.streams.stream_record import Item

# Headers of one connection, and those that would not hold for a changed request or answer.
_NOT_FORWARDED = {"connection", "content-length", "transfer-encoding", "accept-encoding", "x-amz-crc32", "x-amz-target"}


class Write(NamedTuple):
    """One item's write that DynamoDB confirmed at ``time.monotonic()`` = ``at``; ``item`` is None but for a put.

    ``heard``: its client still waited for the answer; else it has made, or will make, the same write again.
    """

    operation: str
    table: str
    key: Item
    item: Item | None
    at: float
    heard: bool = True


class FaultProxy(FaultyServer):
    """Forwards what does not go wrong to ``upstream``."""

    def __init__(self, upstream: str) -> None:
        super().__init__()
        self.upstream = urlsplit(upstream).netloc
        self.writes: list[Write] = []
        self.key_names: dict[str, list[str]] = {}

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """Send ``body`` to DynamoDB as this request's, and note the writes that this made."""
        answer = self._ask(exchange, exchange.operation, body)
        if answer.status == http.client.OK:
            self._note_writes(exchange, json.loads(body), answer)
        return answer

    def _ask(self, exchange: Exchange, operation: str, body: bytes) -> Answer:
        headers = {name: value for name, value in exchange.headers.items() if name.lower() not in _NOT_FORWARDED}
        headers["X-Amz-Target"] = f"{exchange.service}.{operation}"
        with contextlib.closing(http.client.HTTPConnection(self.upstream, timeout=PATIENCE_SECONDS)) as upstream:
            upstream.request("POST", exchange.path, body=body, headers=headers)
            response = upstream.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _NOT_FORWARDED}
            return Answer(response.status, response.read(), kept)

    def _note_writes(self, exchange: Exchange, content: dict[str, Any], answer: Answer) -> None:
        if exchange.operation == "BatchWriteItem":
            undone = json.loads(answer.body).get("UnprocessedItems", {})
            for table, requests in content["RequestItems"].items():
                for request in requests:
                    if request not in undone.get(table, []):
                        self._note(exchange, table, request.get("PutRequest") or request["DeleteRequest"])
        elif exchange.operation in ("PutItem", "DeleteItem", "UpdateItem"):
            self._note(exchange, content["TableName"], content)

    def _note(self, exchange: Exchange, table: str, what: dict[str, Any]) -> None:
        item = what.get("Item")
        if table not in self.key_names:
            described = self._ask(exchange, "DescribeTable", json.dumps({"TableName": table}).encode())
            key_schema = json.loads(described.body)["Table"]["KeySchema"]
            self.key_names[table] = [part["AttributeName"] for part in key_schema]
        key = {name: item[name] for name in self.key_names[table]} if item is not None else what["Key"]
        with self.changed:
            self.writes.append(
                Write(exchange.operation, table, key, item, time.monotonic(), heard=not exchange.hung_up())
            )
            self.changed.notify_all()
