"""Who reads the shards of a simulated stream, by the keys with which the reads are signed."""

from __future__ import annotations

import base64
import time
from collections import defaultdict

from tests.fakes.network.faulty_server import Exchange
from tests.fakes.streams.streams_simulator import StreamsSimulator


class StreamReaders:
    """Knows each read of the simulator's stream from now on."""

    def __init__(self, simulator: StreamsSimulator) -> None:
        self._last: dict[str, dict[str, float]] = defaultdict(dict)  # shard -> access key -> when, monotonic
        simulator.inject(lambda *_: None, "GetRecords", when=self._note)

    def _note(self, exchange: Exchange) -> bool:
        place = base64.b64decode(exchange.body.partition(b"|1|")[2].partition(b'"')[0]).decode()
        self._last[place.partition("|")[0]][exchange.access_key] = time.monotonic()
        return False  # nothing happens to it

    def since(self, moment: float) -> dict[str, set[str]]:
        """By whom each shard was read since then, by ``time.monotonic()``; without those that nobody has read."""
        found = {
            shard_id: {reader for reader, at in list(readers.items()) if at >= moment}
            for shard_id, readers in list(self._last.items())
        }
        return {shard_id: readers for shard_id, readers in found.items() if readers}
