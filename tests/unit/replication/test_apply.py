"""Changes → destination."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import pytest

from processor.errors import (
    DaemonGoneError,
    HeldError,
    LeaseLostError,
    RefusedError,
    UnavailableError,
    UnviewableError,
)
from processor.flow.outage import Outage
from processor.replication.apply import Applier, Holding, Outcome
from processor.replication.change import Change, Fault
from processor.replication.coalescing import every_change, last_changes
from processor.reporting.logs import Log
from tests.fakes.dynamodb.changes import delete, put
from tests.fakes.dynamodb.table import FakeTable
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.policies import AT_ONCE
from tests.unit.conftest import Event


def _applier(
    table: FakeTable,
    *,
    write_mode: str = "batch",
    coalesce: bool = True,
    threads: int = 4,
    refused: Callable[[Change, RefusedError], None] | None = None,
    holding: Holding | None = None,
) -> Applier:
    def stop(_: Change, error: RefusedError) -> None:
        raise error

    return Applier(
        table,
        name="shard",
        write_mode=write_mode,
        coalescing=last_changes if coalesce else every_change,
        threads=threads,
        refused=refused or stop,
        outage=Outage(Log(), "writes_delayed", note="kept"),
        holding=holding,
        policy=AT_ONCE,
    )


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """A thread for an ``apply`` that the test watches."""
    pool = ThreadPoolExecutor(1)
    yield pool
    pool.shutdown(wait=False)


def _images(changes: Iterable[Change]) -> dict[bytes, bytes]:
    return {change.identity: bytes(change.image or b"") for change in changes}


MODES = pytest.mark.parametrize("write_mode", ["batch", "item"])


@MODES
@pytest.mark.parametrize("coalesce", [True, False])
def test_a_batch_ends_as_the_source_does(write_mode: str, *, coalesce: bool) -> None:
    """After ``apply`` each key is as its last change left it, and the outcome accounts for every record."""
    table = FakeTable()
    changes = [put(str(i % 40), i) for i in range(100)] + [delete("1"), put("2", "new"), delete("absent")]
    outcome = _applier(table, write_mode=write_mode, coalesce=coalesce).apply(changes)
    last = {change.identity: change for change in changes}.values()
    assert _images(change for change in last if change.kind == "put") == table.items
    assert outcome == (
        Outcome(records=103, puts=39, deletes=2, coalesced=62)
        if coalesce
        else Outcome(records=103, puts=101, deletes=2)
    )


def nothing(key: str) -> Change:
    """A change that asks for no write."""
    return msgspec.structs.replace(delete(key), kind="nothing")


@MODES
@pytest.mark.parametrize("coalesce", [True, False])
def test_what_asks_for_no_write_is_counted_and_left(write_mode: str, *, coalesce: bool) -> None:
    """It takes the place of no other change of its key, and a batch of nothing else is applied without a call."""
    table = FakeTable()
    applier = _applier(table, write_mode=write_mode, coalesce=coalesce)
    assert applier.apply([nothing("a"), nothing("b")]) == Outcome(records=2, filtered=2)
    assert table.calls == []
    outcome = applier.apply([put("a"), nothing("a"), put("b"), delete("b"), nothing("b")])
    assert table.items.keys() == {put("a").identity}
    assert (outcome.records, outcome.filtered, outcome.coalesced) == (5, 2, 1 if coalesce else 0)


def test_calls_are_as_large_as_the_mode_allows() -> None:
    """Batch mode writes 25 changes a call and counts on distinct keys; item mode writes one."""
    for write_mode, sizes in (("batch", {25}), ("item", {1})):
        table = FakeTable()
        _applier(table, write_mode=write_mode).apply([put(str(i)) for i in range(100)])
        assert sizes == {len(call) for call in table.calls}


def test_different_keys_are_written_side_by_side() -> None:
    """Calls of one round run at once, as many as there are threads and no more."""
    table = FakeTable(meeting=2)
    _applier(table, write_mode="item", threads=2).apply([put(str(i)) for i in range(10)])
    assert table.most_in_flight == 2


@MODES
def test_one_key_never_has_two_writes_in_flight(write_mode: str) -> None:
    """However many threads there are, a key's writes follow each other in the stream's order."""
    table = FakeTable(linger_seconds=0.01)
    changes = [put(key, i, number=i) for i in range(6) for key in "ab"]
    _applier(table, write_mode=write_mode, coalesce=False, threads=8).apply(changes)
    for key in (changes[0].identity, changes[1].identity):
        assert [change for change in changes if change.identity == key] == [
            change for change in table.done if change.identity == key
        ]
    assert table.overlaps == []


@MODES
@pytest.mark.parametrize("fault", ["throttle", "unanswered", "unprocessed", "credentials"])
def test_what_is_not_done_now_is_done_later(write_mode: str, fault: str) -> None:
    """Throttling, lost answers, unprocessed items and expired credentials cost time and nothing else."""
    table = FakeTable(faults=[fault] * 5)
    changes = [put(str(i), i) for i in range(60)]
    outcome = _applier(table, write_mode=write_mode).apply(changes)
    assert _images(changes) == table.items
    assert Outcome(records=60, puts=60) == outcome
    assert (table.renewals > 0) == (fault == "credentials")


def test_only_what_came_back_unprocessed_is_written_again() -> None:
    """Of a partly done call the rest alone is repeated, and repeated until nothing comes back."""
    table = FakeTable(faults=["unprocessed", "unprocessed"])
    changes = [put(str(i)) for i in range(4)]
    _applier(table).apply(changes)
    assert [changes, changes[1:], changes[2:]] == table.calls


def test_an_outage_is_waited_out(aside: ThreadPoolExecutor, events: Callable[[], list[Event]]) -> None:
    """While the destination is away ``apply`` says so, keeps trying and does not return; then it ends as ever."""
    table = FakeTable()
    table.outage.set()
    running = aside.submit(_applier(table).apply, [put(str(i)) for i in range(30)])
    for _ in range(20):
        assert table.called.acquire(timeout=PATIENCE_SECONDS)
    assert not running.done()
    assert table.items == {}
    table.outage.clear()
    assert Outcome(records=30, puts=30) == running.result(PATIENCE_SECONDS)
    assert [event.name for event in events()] == ["writes_delayed"]
    assert events()[0].fields["error"] == "ThrottlingException"


@MODES
def test_a_refusal_ends_the_batch_with_its_change(write_mode: str) -> None:
    """``onError=stop``: the change that is refused is found and named, whichever call of however many it was in."""
    changes = [put(str(i)) for i in range(60)]
    named: list[Change] = []

    def stop(change: Change, error: RefusedError) -> None:
        named.append(change)
        raise error

    with pytest.raises(RefusedError):
        _applier(FakeTable(refuse=[changes[33].identity]), write_mode=write_mode, refused=stop).apply(changes)
    assert [changes[33]] == named


@MODES
def test_a_refusal_that_is_set_aside_stops_nothing(write_mode: str) -> None:
    """``onError=deadLetter``: the refused change alone is set aside, and all others are written."""
    changes = [put(str(i)) for i in range(60)]
    letters: list[Change] = []
    table = FakeTable(refuse=[changes[0].identity, changes[33].identity])
    outcome = _applier(table, write_mode=write_mode, refused=lambda change, _: letters.append(change)).apply(changes)
    assert {changes[0].identity, changes[33].identity} == {change.identity for change in letters}
    assert Outcome(records=60, puts=58, set_aside=2) == outcome
    assert len(table.items) == 58


@MODES
@pytest.mark.parametrize("count", [1, 60])
def test_a_refusal_that_cannot_be_set_aside_now_is_tried_again(write_mode: str, count: int) -> None:
    """While its dead letter has nowhere to go, a change is neither passed over nor given up."""
    changes = [put(str(i)) for i in range(count)]
    table = FakeTable(refuse=[changes[0].identity])
    tries: list[Change] = []

    def away(change: Change, _: RefusedError) -> None:
        tries.append(change)
        if len(tries) < 4:
            raise UnavailableError("fake: no bucket", code="NoSuchBucket")

    outcome = _applier(table, write_mode=write_mode, refused=away).apply(changes)
    assert [changes[0]] * 4 == tries
    assert Outcome(records=count, puts=count - 1, set_aside=1) == outcome


@MODES
def test_a_change_that_is_held_is_written_once_it_is_accepted(write_mode: str) -> None:
    """``onError=hold``: the others are written meanwhile, nothing is set aside, and who waits hears of the end."""
    changes = [put(str(number), number) for number in range(60)]
    table = FakeTable(refuse=[changes[3].identity])
    told: list[str] = []

    class Waits:
        def wait(self, held: HeldError, cut_short: threading.Event) -> None:
            assert not cut_short.is_set()
            told.append(held.sequence_number)
            if len(told) == 3:
                table.refuse_nothing()

        def over(self, held: HeldError) -> None:
            told.append(f"{held.sequence_number} over")

    def hold(change: Change, error: RefusedError) -> None:
        raise HeldError("held", code=error.code, sequence_number=change.sequence_number, fault="refused")

    outcome = _applier(table, write_mode=write_mode, refused=hold, holding=Waits()).apply(changes)
    number = changes[3].sequence_number
    assert told == [number, number, number, f"{number} over"]
    assert outcome == Outcome(records=60, puts=60)
    assert len(table.items) == 60


def test_a_table_may_hold_the_shard_itself() -> None:
    """As two-way's does at a conflict that can't be kept: nothing is refused, and the same write is tried again."""
    told: list[str] = []

    class Unkept(FakeTable):
        def write_one(self, change: Change) -> bool:
            if len(told) < 2:
                raise HeldError("held", code="fake", sequence_number=change.sequence_number, fault="not kept")
            return super().write_one(change)

    class Waits:
        def wait(self, held: HeldError, cut_short: threading.Event) -> None:
            assert not cut_short.is_set()
            told.append(held.fault)

        def over(self, held: HeldError) -> None:
            told.append(f"{held.fault}: over")

    assert _applier(Unkept(), holding=Waits()).apply([put("k")]) == Outcome(records=1, puts=1)
    assert told == ["not kept", "not kept", "not kept: over"]


def test_echoes_are_passed_over() -> None:
    """They are counted by themselves, and don't count as a key's last change."""
    table = FakeTable()
    echo = msgspec.structs.replace(put("k", 2), kind="echo", image=None)
    outcome = _applier(table).apply([put("k", 1), echo])
    assert outcome == Outcome(records=2, puts=1, echoes=1)
    assert len(table.items) == 1


def test_a_refusal_during_an_outage_still_ends_the_batch() -> None:
    """One call's refusal ends the others' waiting, and is what is raised: the cause, not its consequence."""
    changes = [put(str(i)) for i in range(50)]
    table = FakeTable(refuse=[changes[0].identity])
    refused = threading.Event()

    def stop(_: Change, error: RefusedError) -> None:
        table.outage.set()
        refused.set()
        raise error

    class _Waiting(FakeTable):
        def write_batch(self, writes: Sequence[Change]) -> list[Change]:
            if changes[0] not in writes:
                assert refused.wait(PATIENCE_SECONDS)
            return table.write_batch(writes)

        def write_one(self, change: Change) -> None:
            table.write_one(change)

    with pytest.raises(RefusedError):
        _applier(_Waiting(), refused=stop).apply(changes)


def _until(gone: threading.Event) -> Callable[[], None]:
    def may_write() -> None:
        if gone.is_set():
            raise DaemonGoneError

    return may_write


@MODES
@pytest.mark.parametrize("count", [1, 60])
def test_a_lost_lease_is_no_outage(write_mode: str, count: int) -> None:
    """Whatever the other calls of the batch meet, the lost lease is what ``apply`` ends with."""

    def may_write() -> None:
        raise LeaseLostError

    with pytest.raises(LeaseLostError):
        _applier(FakeTable(may_write=may_write), write_mode=write_mode).apply([put(str(i)) for i in range(count)])


@MODES
@pytest.mark.parametrize("count", [1, 60])
def test_a_batch_that_nobody_waits_for_is_given_up(write_mode: str, count: int, aside: ThreadPoolExecutor) -> None:
    """When the daemon has gone during an outage, ``apply`` ends with an error and does not report the batch as done."""
    gone = threading.Event()
    table = FakeTable(may_write=_until(gone))
    table.outage.set()
    applier = _applier(table, write_mode=write_mode)
    running: Future[Outcome] = aside.submit(applier.apply, [put(str(i)) for i in range(count)])
    assert table.called.acquire(timeout=PATIENCE_SECONDS)
    gone.set()
    assert isinstance(running.exception(PATIENCE_SECONDS), DaemonGoneError)


def test_no_call_is_made_once_the_daemon_has_gone() -> None:
    """Another worker may have the shard by now, so even a healthy destination is written to no more."""
    gone = threading.Event()

    class _Orphaned(FakeTable):
        def write_one(self, change: Change) -> None:
            super().write_one(change)
            gone.set()

    table = _Orphaned(may_write=_until(gone))
    with pytest.raises(DaemonGoneError):
        _applier(table, write_mode="item", threads=1).apply([put("a"), put("b"), put("c")])
    assert len(table.calls) == 1


def test_an_unexpected_error_is_not_swallowed() -> None:
    """Any other exception of one call leaves ``apply``, however many other calls went well."""

    class _Broken(FakeTable):
        def write_one(self, change: Change) -> None:
            if change.identity == put("7").identity:
                raise KeyError("BUG")
            super().write_one(change)

    with pytest.raises(KeyError):
        _applier(_Broken(), write_mode="item").apply([put(str(i)) for i in range(20)])


@pytest.mark.parametrize("write_mode", ["batch", "item", "fenced"])
def test_a_change_of_which_nothing_can_be_made_is_refused_without_a_call(write_mode: str) -> None:
    """By its reason; the others of its batch are written."""
    fault = Fault(reason="transform raised ValueError", code="TransformFailed")
    faulty = msgspec.structs.replace(put("b"), image=None, source_item=put("b").image, fault=fault)
    table, refused = FakeTable(), list[tuple[Change, RefusedError]]()
    applier = _applier(table, write_mode=write_mode, refused=lambda change, error: refused.append((change, error)))
    outcome = applier.apply([put("a"), faulty, put("c")])
    assert (outcome.puts, outcome.set_aside) == (2, 1)
    assert _images([put("a"), put("c")]) == table.items
    ((change, error),) = refused
    assert (change, str(error), error.code) == (faulty, "transform raised ValueError", "TransformFailed")
    assert isinstance(error, UnviewableError)


def test_a_later_change_of_the_key_makes_up_for_it() -> None:
    """Of a batch only a key's last change counts."""
    fault = Fault(reason="transform raised ValueError", code="TransformFailed")
    faulty = msgspec.structs.replace(put("a", number=1), image=None, fault=fault)
    table = FakeTable()
    assert _applier(table).apply([faulty, put("a", "2", number=2)]).coalesced == 1
    assert _images([put("a", "2")]) == table.items
