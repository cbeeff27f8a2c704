"""A destination that keeps nothing and answers at once, or as told: late, throttled, or with a part left undone.

Any table is there, with the string key ``id``. In a process of its own, which must never be the limit: requests are
counted, not parsed, unless a part is to be left undone.
"""

from __future__ import annotations

import argparse
import collections
import random
import time

import msgspec

from tests.fakes.daemon import start_probe
from tests.fakes.dynamodb.recorded_table import described
from tests.fakes.network.raw_http import ServerProcess, refusal, response, serve

_DONE = response(b'{"UnprocessedItems":{}}')
_WRITTEN = response(b"{}")
_THROTTLED = refusal(
    "ProvisionedThroughputExceededException",
    "The level of configured provisioned throughput for the table was exceeded.",
)

_TRY = start_probe.PREFIX.encode()
# Longer bodies are not looked through: they would cost the bench what it measures.
_MOST_OF_A_TRY = 1000


class NullSink(ServerProcess):
    """The server, from outside; it counts ``items`` that it took, and has the last one's moment in ``last_ns``.

    :param latency_ms: between a request and its answer
    :param throttled: the share of writing calls that are refused as throttled
    :param unprocessed: the share of BatchWriteItem calls of which the second half comes back undone
    """

    def __init__(self, *, latency_ms: float = 0, throttled: float = 0, unprocessed: float = 0) -> None:
        super().__init__(
            "tests.fakes.dynamodb.null_sink",
            f"--latency-ms={latency_ms}",
            f"--throttled={throttled}",
            f"--unprocessed={unprocessed}",
        )


class Sink:
    """What it answers.

    :param throttled: shares, as ``NullSink`` has them
    """

    def __init__(self, *, delay_seconds: float, throttled: float, unprocessed: float) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.delay_seconds = delay_seconds
        self._throttled = throttled
        self._unprocessed = unprocessed
        self._random = random.Random(1)

    def answer(self, operation: str, body: bytes) -> bytes:
        """Whatever it doesn't know is answered with ``{}``."""
        if operation == "DescribeTable":
            return response(described(msgspec.json.decode(body)["TableName"]))
        is_try = len(body) < _MOST_OF_A_TRY and _TRY in body  # a start tries whether it may write
        if is_try or operation not in ("BatchWriteItem", "PutItem", "DeleteItem"):
            return _DONE if operation == "BatchWriteItem" else _WRITTEN
        if self._throttled and self._random.random() < self._throttled:
            self.counts["throttled"] += 1
            return _THROTTLED
        if operation != "BatchWriteItem":
            self.counts["items"] += 1
            return _WRITTEN
        self.counts["last_ns"] = time.monotonic_ns()
        # An item's own text can't hold these: its quotes would be escaped.
        items = body.count(b'{"PutRequest":') + body.count(b'{"DeleteRequest":')
        if self._unprocessed and items > 1 and self._random.random() < self._unprocessed:
            return self._half(body)
        self.counts["items"] += items
        return _DONE

    def _half(self, body: bytes) -> bytes:
        ((table, requests),) = msgspec.json.decode(body)["RequestItems"].items()
        done = len(requests) // 2
        self.counts["items"] += done
        self.counts["undone"] += len(requests) - done
        return response(msgspec.json.encode({"UnprocessedItems": {table: requests[done:]}}))


def main() -> None:
    """Serve until standard input ends; the port is the first line of standard output."""
    parser = argparse.ArgumentParser()
    for option in ("--latency-ms", "--throttled", "--unprocessed"):
        parser.add_argument(option, type=float, default=0.0)
    given = parser.parse_args()
    serve(Sink(delay_seconds=given.latency_ms / 1000, throttled=given.throttled, unprocessed=given.unprocessed))


if __name__ == "__main__":
    main()
