"""When a shard's checkpoint is stored, with an interval and without, and when nothing may be left pending."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest

from processor.errors import (
    HeldError,
    LeaseLostError,
    RefusedError,
    StoppedByRefusalError,
    ThrottledError,
    UnavailableError,
)
from processor.flow.outage import Outage
from processor.replication.apply import Applier
from processor.replication.checkpoint import Checkpoint
from processor.replication.coalescing import last_changes
from processor.replication.record_processor import NoStandstill, RecordProcessor, Shard
from processor.reporting.logs import Log
from tests.fakes.daemon import kcl
from tests.fakes.daemon.kcl import Checkpointer
from tests.fakes.dynamodb.changes import decode
from tests.fakes.dynamodb.table import FakeTable
from tests.fakes.policies import AT_ONCE
from tests.fakes.streams.stream_record import modify, sequence_number

INTERVAL_SECONDS = 10.0


def _record(number: int) -> bytes:
    return modify(number, {"id": {"S": str(number)}}).data


class OneShard:
    """A record processor with an interval, and its daemon's messages; the destination never accepts ``refuse``."""

    def __init__(
        self, interval_seconds: float = INTERVAL_SECONDS, *, refuse: Iterable[int] = (), **applier: Any
    ) -> None:
        self.now = 1000.0
        self.kcl = Checkpointer()
        self.table = FakeTable(refuse=[decode(_record(number)).identity for number in refuse])
        self.stored_at: list[float] = []
        self._count = 0
        self.checkpoint = Checkpoint(
            Log(),
            gone=threading.Event(),
            interval_seconds=interval_seconds,
            stored=lambda: self.stored_at.append(self.now),
            policy=AT_ONCE,
            clock=lambda: self.now,
        )
        options: dict[str, Any] = {"refused": pytest.fail, "policy": AT_ONCE, "threads": 3} | applier
        self.applier = Applier(
            self.table,
            name="shard",
            write_mode="item",
            coalescing=last_changes,
            outage=Outage(Log(), "writes_delayed", note=""),
            earlier=self.checkpoint,
            **options,
        )
        self.standstill: Any = NoStandstill()
        self.processor = RecordProcessor(self._open, gone=threading.Event(), log=Log())
        self.processor.initialize(kcl.initialize())

    def _open(self, _: str) -> Shard:
        return Shard(applier=self.applier, log=Log(), checkpoint=self.checkpoint, standstill=self)

    def begun(self, number: str) -> None:
        """See ``Standstill``."""
        self.standstill.begun(number)

    def applied(self) -> None:
        """See ``Standstill``."""
        self.standstill.applied()

    def read_again(self, held: HeldError, cut_short: threading.Event) -> None:
        """See ``Standstill``."""
        self.standstill.read_again(held, cut_short)

    def batch(self, changes: int = 1) -> str:
        """The next one; returns its last sequence number."""
        numbers = range(self._count, self._count + changes)
        self._count += changes
        self.send(kcl.process_records(list(map(_record, numbers))))
        return sequence_number(self._count - 1)

    def nothing(self) -> None:
        """The daemon asks for what is due."""
        self.send(kcl.process_records([]))

    def send(self, message: Any) -> None:
        """Any of KCL's messages."""
        message.dispatch(self.kcl, self.processor)


def test_without_an_interval_each_batch_is_stored() -> None:
    """As ever: 0 is the default, and nothing is pending after a batch."""
    shard = OneShard(0.0)
    assert shard.kcl.stored == [shard.batch(), shard.batch(2), shard.batch()]
    assert shard.checkpoint.pending is None


def test_a_processs_first_batch_is_stored_at_once() -> None:
    """Whether a shard is begun, and its last owner's time over, others know by its checkpoint alone."""
    shard = OneShard()
    assert shard.kcl.stored == [shard.batch()]


def test_one_checkpoint_at_most_in_an_interval() -> None:
    """The first batch after it is over stores for all before; what is measured is when a checkpoint was stored."""
    shard = OneShard()
    first = shard.batch()
    for _ in range(3):
        shard.now += 3.0
        shard.batch()
    assert shard.kcl.stored == [first]
    shard.now += 1.0
    assert shard.kcl.stored == [first, shard.batch()]
    assert shard.stored_at == [1000.0, 1010.0]
    shard.now += 9.9
    shard.batch()
    assert len(shard.kcl.calls) == 2


def test_a_quiet_shards_last_batch_is_stored_when_it_is_asked_for() -> None:
    """An empty batch stores what is pending and due, once, and nothing before."""
    shard = OneShard()
    shard.batch()
    last = shard.batch(3)
    shard.now += 9.9
    shard.nothing()
    assert last not in shard.kcl.stored
    shard.now += 0.1
    shard.nothing()
    shard.now += 30.0
    shard.nothing()
    assert (shard.kcl.stored[1:], len(shard.kcl.calls)) == ([last], 2)


def test_a_requested_shutdown_stores_what_is_pending() -> None:
    """A clean stop leaves nothing to be applied again, however long the interval."""
    shard = OneShard()
    shard.batch()
    last = shard.batch()
    shard.send(kcl.shutdown_requested())
    assert shard.kcl.stored[1:] == [last]


def test_a_shards_end_is_stored_at_once() -> None:
    """Its children wait for that; the end is past whatever is pending."""
    shard = OneShard()
    first = shard.batch()
    shard.batch()
    shard.send(kcl.shard_ended())
    assert (shard.kcl.stored, shard.checkpoint.pending) == ([first, None], None)


@pytest.mark.parametrize("message", [kcl.shutdown_requested, kcl.shard_ended, lambda: kcl.process_records([])])
def test_after_a_lost_lease_nothing_is_stored(message: Callable[[], Any]) -> None:
    """The checkpoint is the next owner's, who applies anew what was pending here."""
    shard = OneShard()
    first = shard.batch()
    shard.batch()
    shard.send(kcl.lease_lost())
    shard.now += 100.0
    shard.send(message())
    assert (shard.kcl.stored, shard.kcl.calls, shard.checkpoint.pending) == ([first], [first], None)


def test_a_lease_that_is_lost_at_a_put_off_checkpoint() -> None:
    """It is found by the empty batch that asks for it; from then on the shard is left alone."""
    shard = OneShard()
    first = shard.batch()
    shard.batch()
    shard.kcl = Checkpointer(["ShutdownException"])
    shard.now += 10.0
    shard.nothing()
    shard.now += 100.0
    shard.nothing()  # however late: there are no records that somebody would wait for
    shard.send(kcl.shutdown_requested())
    assert (len(shard.kcl.calls), shard.kcl.stored, first in shard.kcl.calls) == (1, [], False)


class _Held:
    """Waits at a change twice, and is then told that the lease is lost."""

    def __init__(self, looked_at: Callable[[], object]) -> None:
        self.seen: list[object] = []
        self._looked_at = looked_at

    def wait(self, held: HeldError, cut_short: threading.Event) -> None:  # noqa: ARG002  # the protocol's
        """See ``Holding``."""
        self.seen.append(self._looked_at())
        if len(self.seen) == 2:
            raise LeaseLostError

    def over(self, held: HeldError) -> None:
        """See ``Holding``."""
        raise AssertionError(held)


def test_a_shard_is_held_with_nothing_pending() -> None:
    """A daemon that stops gives a held shard up without a word to its child."""

    def refused(_: object, refusal: RefusedError) -> None:
        raise HeldError("no", code="x", sequence_number="1", fault="") from refusal

    holding = _Held(lambda: shard.kcl.stored[-1])
    shard = OneShard(refuse=[2], refused=refused, holding=holding)
    shard.batch()
    before = shard.batch()
    assert before not in shard.kcl.stored
    shard.batch()
    assert holding.seen == [before, before]
    assert shard.kcl.stored[-1] == before


@pytest.mark.parametrize("changes", [1, 5])
def test_while_the_destination_is_away_what_is_due_is_stored(changes: int) -> None:
    """A batch that waits for hours keeps no earlier one from being stored, by whatever thread that waits."""
    waited: list[list[str | None]] = []

    def retried(error: UnavailableError) -> None:
        assert isinstance(error, ThrottledError)
        waited.append(list(shard.kcl.stored))
        shard.now += 4.0

    shard = OneShard(retried=retried)
    shard.batch()
    before = shard.batch()
    shard.table.faults.extend(["throttle"] * 4)
    last = shard.batch(changes)
    assert len(waited) == 4
    assert before not in waited[0]
    assert before in waited[-1]
    assert last not in waited[-1]


def test_a_stop_by_a_refusal_leaves_nothing_pending() -> None:
    """``onError=stop`` ends this process, and no shutdown is requested of it any more."""

    def refused(_: object, refusal: RefusedError) -> None:
        raise StoppedByRefusalError("refused") from refusal

    shard = OneShard(refuse=[2], refused=refused)
    shard.batch()
    before = shard.batch()
    with pytest.raises(SystemExit):
        shard.batch()
    assert shard.kcl.stored[-1] == before


def test_a_shard_is_given_up_to_be_read_again_with_nothing_pending() -> None:
    """So its next child meets the same batch first."""
    shard = OneShard()
    shard.batch()
    before = shard.batch()

    class ReadAgain(NoStandstill):
        def read_again(self, held: HeldError, cut_short: threading.Event) -> None:  # noqa: ARG002  # the protocol's
            assert shard.kcl.stored[-1] == before
            raise LeaseLostError

    shard.standstill = ReadAgain()
    with suppress(SystemExit):
        shard.send(kcl.process_records([b'{"eventName":"UPSERT"}']))
    assert shard.kcl.calls[-1] == before
