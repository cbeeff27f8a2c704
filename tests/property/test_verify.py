"""Whoever compares the parts of two tables, and whoever is lost meanwhile: the report is the same."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processor.commands.verify.canonical_form import CanonicalForm
from processor.commands.verify.comparison import Comparison
from processor.commands.verify.crew import Alone, Crew, Taker
from processor.commands.verify.digests import BucketDigests, DifferingBuckets, Role, bucket_count
from processor.commands.verify.judge import Judge
from processor.commands.verify.part import PartQueue, Stretch
from processor.commands.verify.recheck import Recheck
from processor.commands.verify.report import Results, VerifyReport
from processor.commands.verify.settled import SettledParts
from processor.commands.verify.sides import Sides
from processor.commands.verify.table_side import TableSide
from processor.commands.verify.task import VerifyTask
from processor.commands.verify.worker import VerifyWorker
from processor.dynamodb.expiry import NO_EXPIRY, Expiry, PastTtl
from processor.dynamodb.scanner import Page, Segment
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.flow.worker_group import WorkerGroup
from processor.reporting.logs import Log
from tests.fakes.task.tasks import task

FORM = CanonicalForm(["id"], ignored=[("ignored",)], salt=b"salt")
NOW = 1_800_000_000
# Of each key: what the source has, and what the destination has; most are equal.
STATES = ("same", "same", "same", "rewritten", "missing", "extra", "different", "ignored", "past", "past here", "moved")
TABLES = st.dictionaries(st.integers(0, 999), st.sampled_from(STATES), max_size=40)
_past = PastTtl("expires", lambda: NOW)
EXPIRIES = {
    "none": NO_EXPIRY,
    "both": Expiry(_past, _past),
    "source": Expiry(_past),
    "kept": Expiry(kept=_past),
}


def _items(key: int, state: str) -> tuple[Any, Any]:
    item = {"id": {"S": str(key)}, "n": {"N": "1.5"}}
    past, later = ({"N": str(NOW + seconds)} for seconds in (-3600, 3600))
    both: dict[str, tuple[Any, Any]] = {
        "same": (item, item),
        "rewritten": (item, {"n": {"N": "15E-1"}, "id": item["id"]}),
        "missing": (item, None),
        "extra": (None, item),
        "different": (item, item | {"n": {"N": "2"}}),
        "ignored": (item, item | {"ignored": {"S": "x"}}),
        "past": (item | {"expires": past}, item | {"expires": past}),
        "past here": (item | {"expires": past}, None),
        "moved": (item | {"expires": past}, item | {"expires": later}),
    }
    return both[state]


class _Table:
    """Reads of one table, whose segments and order go by a salted hash of the key."""

    def __init__(self, name: str, items: Sequence[Any], *, salt: str, page_items: int) -> None:
        self.name = name
        raws = {item["id"]["S"]: msgspec.Raw(json.dumps(item).encode()) for item in items}
        self._place = {key: zlib.crc32(f"{salt}{key}".encode()) for key in raws}
        self._items = dict(sorted(raws.items(), key=lambda each: self._place[each[0]]))
        self._page_items = page_items

    def page(self, segment: Segment, start: msgspec.Raw | None) -> Page:
        """As ``ScannableTable``."""
        own = [key for key in self._items if self._place[key] % segment.total == segment.number]
        begin = 0 if start is None else own.index(json.loads(bytes(start))["id"]["S"]) + 1
        keys = own[begin : begin + self._page_items]
        last = None
        if begin + self._page_items < len(own):
            last = msgspec.Raw(json.dumps({"id": {"S": keys[-1]}}).encode())
        return Page([self._items[key] for key in keys], last, 0.5, 0, len(keys))

    def get_pairs(self, keys: Sequence[msgspec.Raw]) -> list[tuple[msgspec.Raw, msgspec.Raw | None]]:
        """As ``ReadableTable``."""
        found = [self._items.get(json.loads(bytes(key))["id"]["S"]) for key in keys]
        return [(item, item) for item in found if item is not None]


class _LostError(Exception):
    pass


class _KilledError(Exception):
    pass


@dataclass
class _Losing:
    """A crew whose processes are lost at any moment: before a stretch is heard, or after.

    ``stretches``: after so many all of it is killed, the process too that puts everything together.
    """

    worker: VerifyWorker
    chance: random.Random
    threads: int = 3
    stretches: int | None = None

    def run(self, parts: PartQueue, taker: Taker) -> None:
        """As ``Crew``."""
        number = 0

        def lose() -> None:
            if self.chance.random() < 0.2:
                raise _LostError

        def tell(stretch: Stretch) -> None:
            if self.stretches is not None:
                if not self.stretches:
                    raise _KilledError
                self.stretches -= 1
            lose()
            told = msgspec.json.decode(msgspec.json.encode(stretch), type=Stretch)
            parts.go_on(told.rest)
            taker.take(told)
            lose()

        while (part := parts.next(number)) is not None:
            try:
                self.worker.do(part, tell)
            except _LostError:
                parts.give_back(number)
                number += 1
        assert parts.is_done


@dataclass
class _Pair:
    """Two tables, and comparisons of them."""

    sides: Sides
    expiry: Expiry
    shows_expired: bool

    def report_of_runs(self, chance: random.Random, kills: Sequence[int]) -> VerifyReport:
        """Of a pass that is killed after so many stretches, and gone on with by what was kept of it."""
        settled = SettledParts(8)
        for stretches in kills:
            with contextlib.suppress(_KilledError):
                self.report(chance, settled=settled, stretches=stretches)
            settled = SettledParts(8, settled.settled)
        return self.report(chance, settled=settled)

    def report(
        self, chance: random.Random | None, *, settled: SettledParts | None = None, stretches: int | None = None
    ) -> VerifyReport:
        """Of one process, or of some that are lost by chance."""
        report = VerifyReport()
        results, workers = Results(report, show=1_000), WorkerGroup(threading.Event())
        verified = VerifyTask(
            settings=task(applyThreads="2"),
            source={},
            destination={},
            form=FORM,
            expiry=self.expiry,
            then=self.expiry,
            shows_expired=self.shows_expired,
            differing=DifferingBuckets(bytearray(bucket_count(0))),
        )
        crew: Crew = Alone(verified, self.sides, workers)
        if chance is not None:
            crew = _Losing(VerifyWorker(verified, self.sides, workers.stop), chance, stretches=stretches)
        recheck = Recheck(
            self.sides["source"],
            self.sides["destination"],
            judge=Judge(FORM, results, expiry=self.expiry, show_expired=self.shows_expired),
            looks=0,
            results=results,
            workers=workers,
            retry=_retry(),
            pause=lambda _: 0.0,
        )
        try:
            Comparison(
                self.sides,
                crew=crew,
                recheck=recheck,
                results=results,
                buckets=BucketDigests(bucket_count(0)),
                differing=verified.differing,
                chance=random.Random(0),
                settled=settled,
            ).run()
        finally:
            recheck.close()
        report.keys.sort(key=lambda found: bytes(found.key))
        return report


def _retry() -> Retry:
    return Retry(retry_policy.COMMAND, threading.Event(), Outage(Log(), "test", note=""))


def _pair(
    table: dict[int, str],
    *,
    salts: tuple[str, str],
    page_items: tuple[int, int],
    expiry: str,
    shows_expired: bool,
    reorders: bool,
) -> _Pair:
    """:param reorders: whether the destination has the attributes of all items in another order"""
    both = [_items(key, state) for key, state in table.items()]
    if reorders:
        both = [(one, other and dict(reversed(other.items()))) for one, other in both]
    roles: tuple[Role, Role] = ("source", "destination")
    sides = []
    for index, role in enumerate(roles):
        items = [pair[index] for pair in both if pair[index] is not None]
        made: Any = _Table(role, items, salt=salts[index], page_items=page_items[index])
        description = {"ItemCount": len(items), "KeySchema": [{"AttributeName": "id"}]}
        sides.append(TableSide(role, description, scannable=made, readable=made, retry=_retry()))
    return _Pair(Sides(*sides), EXPIRIES[expiry], shows_expired)


@pytest.mark.parametrize("expiry", EXPIRIES)
@settings(max_examples=25)
# An item that is past its TTL in one table only, and in another part of the other.
@example(
    table={0: "moved", 10: "same"},
    salts=("", "other"),
    page_items=(1, 1),
    shows_expired=False,
    reorders=False,
    seed=0,
)
@given(
    table=TABLES,
    salts=st.sampled_from([("", ""), ("", "other")]),
    page_items=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    shows_expired=st.booleans(),
    reorders=st.booleans(),
    seed=st.integers(0, 1_000),
)
def test_the_report_is_that_of_one_process(
    expiry: str,
    table: dict[int, str],
    seed: int,
    **given_so: Any,
) -> None:
    """Whether or not both tables are in the same order; each outcome is what the items say."""
    pair = _pair(table, expiry=expiry, **given_so)
    report = pair.report(None)
    assert pair.report(random.Random(seed)) == report
    chance = random.Random(seed)
    assert pair.report_of_runs(chance, [chance.randrange(20) for _ in range(2)]) == report
    assert report.complete
    if expiry == "none":
        counts = Counter(table.values())
        assert report.equal == sum(counts[state] for state in ("same", "rewritten", "ignored", "past"))
        assert report.missing == counts["missing"] + counts["past here"]
        assert report.extra == counts["extra"]
        assert report.different == counts["different"] + counts["moved"]
