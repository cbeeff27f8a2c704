"""What benches write for as long as they look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from tests.fakes.streams.live_stream import LiveStream


@contextmanager
def written(streams: Sequence[LiveStream], *, shards: int = 1, seconds: float) -> Iterator[None]:
    """Write each shard of each stream once in that time; they take turns, so that no two are written at a moment."""
    turns = [partial(stream.write, shard) for stream in streams for shard in range(shards)]
    stop = threading.Event()
    thread = threading.Thread(target=_write, args=(turns, seconds / len(turns), stop), name="writes", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _write(turns: Sequence[Callable[[], None]], seconds: float, stop: threading.Event) -> None:
    number, began = 0, time.monotonic()
    while not stop.wait(max(0.0, began + number * seconds - time.monotonic())):
        turns[number % len(turns)]()
        number += 1
