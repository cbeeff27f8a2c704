"""A destination that keeps nothing and answers at once, or as told: late, throttled, with a part left undone, or never.

Any table is there, with the string key ``id``. In a process of its own, which must never be the limit: requests are
counted, not parsed, unless a part is to be left undone.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import re
import time
import urllib.request

import msgspec

from tests.fakes.daemon import start_probe
from tests.fakes.dynamodb.recorded_table import described
from tests.fakes.network.raw_http import ServerProcess, refusal, response, serve
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.streams import live_stream

_DONE = response(b'{"UnprocessedItems":{}}')
_WRITTEN = response(b"{}")
_THROTTLED = refusal(
    "ProvisionedThroughputExceededException",
    "The level of configured provisioned throughput for the table was exceeded.",
)

_WRITTEN_AT = re.compile(rb'"%b":\s*{"N":\s*"(\d+)"}' % live_stream.WRITTEN_AT.encode())
_TRY = start_probe.PREFIX.encode()
# Longer bodies are not looked through: they would cost the bench what it measures.
_MOST_OF_A_TRY = 1000
_MOST_OF_A_LIVE_BATCH = 2000


class NullSink(ServerProcess):
    """The server, from outside; it counts ``items`` that it took, and has the last one's moment in ``last_ns``.

    Of items that have the moment of their write (``live_stream``), ``take_lags`` has how long they took.

    :param latency_ms: between a request and its answer
    :param throttled: the share of writing calls that are refused as throttled
    :param unprocessed: the share of BatchWriteItem calls of which the second half comes back undone
    :param unanswered: the share of writing calls that get no answer
    """

    def __init__(
        self, *, latency_ms: float = 0, throttled: float = 0, unprocessed: float = 0, unanswered: float = 0
    ) -> None:
        super().__init__(
            "tests.fakes.dynamodb.null_sink",
            f"--latency-ms={latency_ms}",
            f"--throttled={throttled}",
            f"--unprocessed={unprocessed}",
            f"--unanswered={unanswered}",
        )

    @property
    def settings(self) -> dict[str, str]:
        """What leads a task here."""
        return {"destinationRegion": "eu-west-1", "destinationTable": "sink", "destinationEndpoint": self.endpoint}

    def take_lags(self) -> list[float]:
        """Seconds from each write to its arrival, of all that arrived since they were last taken."""
        asked = urllib.request.Request(self.endpoint, b"{}", {"X-Amz-Target": "Bench.Lags"})  # noqa: S310  # a server of our own
        with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            return [lag_ns / 1e9 for lag_ns in json.load(answer)]


class Sink:
    """What it answers.

    :param throttled: shares, as ``NullSink`` has them
    """

    def __init__(self, *, delay_seconds: float, throttled: float, unprocessed: float, unanswered: float = 0) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.delay_seconds = delay_seconds
        self._throttled = throttled
        self._unprocessed = unprocessed
        self._unanswered = unanswered
        self._random = random.Random(1)
        self._lags_ns: list[int] = []

    def answer(self, operation: str, body: bytes) -> bytes:
        """Whatever it doesn't know is answered with ``{}``."""
        if operation == "DescribeTable":
            return response(described(msgspec.json.decode(body)["TableName"]))
        if operation == "Lags":
            taken, self._lags_ns = self._lags_ns, []
            return response(msgspec.json.encode(taken))
        if len(body) < _MOST_OF_A_LIVE_BATCH:
            self._lags_ns += [time.monotonic_ns() - int(written) for written in _WRITTEN_AT.findall(body)]
        return self._take(operation, body)

    def _take(self, operation: str, body: bytes) -> bytes:
        is_try = len(body) < _MOST_OF_A_TRY and _TRY in body  # a start tries whether it may write
        if is_try or operation not in ("BatchWriteItem", "PutItem", "DeleteItem"):
            return _DONE if operation == "BatchWriteItem" else _WRITTEN
        if self._throttled and self._random.random() < self._throttled:
            self.counts["throttled"] += 1
            return _THROTTLED
        if self._unanswered and self._random.random() < self._unanswered:
            self.counts["unanswered"] += 1
            return b""
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
    for option in ("--latency-ms", "--throttled", "--unprocessed", "--unanswered"):
        parser.add_argument(option, type=float, default=0.0)
    given = parser.parse_args()
    serve(
        Sink(
            delay_seconds=given.latency_ms / 1000,
            throttled=given.throttled,
            unprocessed=given.unprocessed,
            unanswered=given.unanswered,
        )
    )


if __name__ == "__main__":
    main()
