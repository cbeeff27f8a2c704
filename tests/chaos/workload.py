"""A seeded workload that is hard on order: hot keys, deletes and re-inserts, large items, many small ones, bursts."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable

from tests.chaos.journal import Item, digest
from tests.chaos.sources import Made, See, Source

# Keys of these are never deleted. A late duplicate of a put can't bring back what was deleted since: in fenced mode the
# sequence number that would stop it goes with the item.
KEPT = "kept"
# The destination has an index on this attribute, which wants a string.
INDEXED = "code"
# kind -> share of the writes, keys, share of deletes among the writes of a key that is there, most bytes of filler
_KINDS: dict[str, tuple[float, int, float, int]] = {
    "hot": (0.45, 6, 0.25, 50),
    KEPT: (0.15, 6, 0.0, 50),
    "cold": (0.36, 250, 0.3, 2_000),
    "large": (0.015, 5, 0.1, 300_000),
    "odd": (0.025, 6, 0.3, 50),  # half of its puts are refused
}
_LEAST_OF_LARGE = 50_000
_BURST_SHARE = 0.01
_MOST_IN_BURST = 150


class Workload:
    """Writes from a thread until stopped. One thread, so its own order is the source's, for each key.

    :param pause_seconds: between two writes, on the average and outside of bursts
    :param refusals: whether some puts are of a kind that the destination refuses
    :param sees: what is to be at a destination of an item, of all destinations
    """

    def __init__(self, source: Source, *, seed: int, pause_seconds: float, refusals: bool, sees: Iterable[See]) -> None:
        self._source = source
        self._random = random.Random(seed)
        self._pause_seconds = pause_seconds
        self._refusals = refusals
        self._made: dict[See, list[Made]] = {see: [] for see in sees}
        self._there: set[str] = set()
        self._burst = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chaos-workload")
        self._error: BaseException | None = None
        self._count = 0

    def made(self, see: See) -> list[Made]:
        """All changes so far, as that destination is to see them."""
        return self._made[see]

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the write in hand; raises what went wrong."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._write()
                self._wait()
        except BaseException as exc:  # noqa: BLE001  # it is raised again where somebody waits for the end
            self._error = exc

    def _wait(self) -> None:
        if self._burst == 0 and self._random.random() < _BURST_SHARE:
            self._burst = self._random.randint(2, _MOST_IN_BURST)
        if self._burst > 0:
            self._burst -= 1
        else:
            self._stop.wait(self._random.uniform(0, 2 * self._pause_seconds))

    def _write(self) -> None:
        self._count += 1
        number = self._count
        (kind,) = self._random.choices(list(_KINDS), weights=[share for share, *_ in _KINDS.values()])
        _, keys, deletes, _ = _KINDS[kind]
        key = f"{kind}-{self._random.randrange(keys)}"
        if key in self._there and self._random.random() < deletes:
            self._there.discard(key)
            for made in self._made.values():
                made.append(Made(number, key, None, refused=False, at=time.monotonic(), is_delete=True))
            self._source.delete(key)
        else:
            self._there.add(key)
            refused = self._refusals and kind == "odd" and self._random.random() < 0.5
            item = self._item(kind, key, number, refused=refused)
            for see, made in self._made.items():
                seen = see(item)
                found = None if seen is None else digest(seen)
                made.append(Made(number, key, found, refused=refused and found is not None, at=time.monotonic()))
            self._source.put(item)

    def _item(self, kind: str, key: str, number: int, *, refused: bool) -> Item:
        least, most = (_LEAST_OF_LARGE if kind == "large" else 0), _KINDS[kind][3]
        return {
            "id": {"S": key},
            "write": {"N": str(number)},
            INDEXED: {"N": str(number)} if refused else {"S": f"code-{number % 7}"},
            "total": {"N": "".join(self._random.choices("123456789", k=38))},
            "note": {"S": ""},
            "token": {"B": self._random.randbytes(12)},
            "tags": {"SS": ["live", f"n{number % 7}"]},
            "lines": {"L": [{"M": {"sku": {"S": f"sku-{number}"}, "card": {"NULL": True}}}]},
            "filler": {"S": "é" + "x" * self._random.randint(least, most)},
        }
