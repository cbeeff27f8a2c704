"""A seeded workload that is hard on order: hot keys, deletes and re-inserts, large items, many small ones, bursts."""

from __future__ import annotations

import time
from collections.abc import Iterable

from tests.chaos.journal import Item, digest
from tests.chaos.sources import Made, See, Source
from tests.chaos.writer import Writer
from tests.fakes.dynamodb.refusing_table import INDEXED

# Keys of these are never deleted. A late duplicate of a put can't bring back what was deleted since: in fenced mode the
# sequence number that would stop it goes with the item.
KEPT = "kept"
# kind -> share of the writes, keys, share of deletes among the writes of a key that is there, most bytes of filler
_KINDS: dict[str, tuple[float, int, float, int]] = {
    "hot": (0.45, 6, 0.25, 50),
    KEPT: (0.15, 6, 0.0, 50),
    "cold": (0.36, 250, 0.3, 2_000),
    "large": (0.015, 5, 0.1, 300_000),
    "odd": (0.025, 6, 0.3, 50),  # half of its puts are refused
}
_LEAST_OF_LARGE = 50_000
_MOST_IN_BURST = 150


class Workload(Writer):
    """Writes from a thread until stopped.

    :param refusals: whether some puts are of a kind that the destination refuses
    :param sees: what is to be at a destination of an item, of all destinations
    """

    def __init__(self, source: Source, *, seed: int, pause_seconds: float, refusals: bool, sees: Iterable[See]) -> None:
        super().__init__("chaos-workload", seed=seed, pause_seconds=pause_seconds, most_in_burst=_MOST_IN_BURST)
        self._source = source
        self._refusals = refusals
        self._made: dict[See, list[Made]] = {see: [] for see in sees}
        self._there: set[str] = set()
        self._count = 0

    def made(self, see: See) -> list[Made]:
        """All changes so far, as that destination is to see them."""
        return self._made[see]

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
