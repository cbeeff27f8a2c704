"""kclpy's callbacks, and the one rule they are for: no checkpoint before its changes are applied."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from processor.errors import (
    DeadLetterError,
    HeldError,
    LeaseLostError,
    RefusedError,
    ReplicatorError,
    StoppedByRefusalError,
    UnavailableError,
    UsageError,
)
from processor.flow.outage import Outage
from processor.replication.apply import Applier, Outcome
from processor.replication.change import Change
from processor.replication.coalescing import last_changes
from processor.replication.record_counts import RecordCounts
from processor.replication.record_processor import NoStandstill, RecordProcessor, Shard
from processor.replication.safe_meter import SafeMeter
from processor.reporting.logs import Log
from tests.fakes.daemon import kcl
from tests.fakes.daemon.kcl import Checkpointer
from tests.fakes.dynamodb.table import FakeTable
from tests.fakes.policies import AT_ONCE
from tests.fakes.streams.stream_record import insert, modify, sequence_number, stream_record
from tests.unit.conftest import Event

Events = Callable[[], list[Event]]
RECORDS = [modify(number, {"id": {"S": str(number)}, "secret": {"S": "hush-hush"}}).data for number in range(3)]
LAST = sequence_number(2)


class FakeApplier:
    """Counts batches; raises what it is told to."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.batches: list[Sequence[Change]] = []
        self.error = error
        self.filtered = 0

    def apply(self, changes: Sequence[Change]) -> Outcome:
        """Like ``Applier.apply``."""
        self.batches.append(changes)
        if self.error:
            raise self.error
        return Outcome(records=len(changes), puts=len(changes) - self.filtered, filtered=self.filtered)


def _processor(applier: FakeApplier) -> RecordProcessor:
    made = RecordProcessor(
        lambda shard_id: Shard(applier=applier, log=Log(shard=shard_id)),
        gone=threading.Event(),
        log=Log(),
        policy=AT_ONCE,
    )
    made.initialize(kcl.initialize())
    return made


def test_a_batch_is_applied_then_checkpointed_at_its_last_record() -> None:
    """The checkpoint comes after ``apply`` has returned, and is the last record's sequence number, given as such."""
    applier = FakeApplier()
    checkpointer = Checkpointer(before=lambda _: order.append(len(applier.batches)))
    order: list[int] = []
    kcl.process_records(RECORDS).dispatch(checkpointer, _processor(applier))
    assert checkpointer.stored == [LAST]
    assert order == [1]
    assert [sequence_number(i) for i in range(3)] == [change.sequence_number for change in applier.batches[0]]


def test_a_batch_of_which_nothing_is_written_is_checkpointed(events: Events) -> None:
    """By the task's view of its items; it is summed up as filtered."""
    applier = Applier(
        FakeTable(),
        name="shard",
        write_mode="batch",
        coalescing=last_changes,
        threads=1,
        refused=pytest.fail,
        outage=Outage(Log(), "writes_delayed", note=""),
    )
    shard = Shard(applier=applier, log=Log(), view=lambda _: None)
    processor = RecordProcessor(lambda _: shard, gone=threading.Event(), log=Log())
    processor.initialize(kcl.initialize())
    checkpointer = Checkpointer()
    new = [insert(number, {"id": {"S": str(number)}}).data for number in range(3)]
    kcl.process_records(new).dispatch(checkpointer, processor)
    assert checkpointer.stored == [LAST]
    kcl.shutdown_requested().dispatch(checkpointer, processor)
    (summary,) = [event.fields for event in events() if event.name == "applied"]
    assert (summary["records"], summary["puts"], summary["filtered"]) == (3, 0, 3)


def test_records_are_counted_before_their_checkpoint(tmp_path: Path) -> None:
    """So a checkpoint takes along the counts of the records before it; a batch that is not applied counts nothing."""
    file = tmp_path / "count"
    file.write_bytes(_bytes(100, 40))
    applier = FakeApplier()
    shard = Shard(applier=applier, log=Log(), view=lambda _: None, counts=RecordCounts(file))
    processor = RecordProcessor(lambda _: shard, gone=threading.Event(), log=Log(), policy=AT_ONCE)
    processor.initialize(kcl.initialize())
    taken: list[tuple[int, int]] = []
    checkpointer = Checkpointer([None, "ThrottlingException"], before=lambda _: taken.append(_counts(file)))
    applier.filtered = 3
    kcl.process_records(RECORDS).dispatch(checkpointer, processor)
    applier.filtered = 2
    kcl.process_records(RECORDS).dispatch(checkpointer, processor)
    assert taken == [(103, 43), (106, 45), (106, 45)]
    applier.error = LeaseLostError()
    kcl.process_records(RECORDS).dispatch(checkpointer, processor)
    assert _counts(file) == (106, 45)


def _counts(file: Path) -> tuple[int, int]:
    content = file.read_bytes()
    return int.from_bytes(content[:8], "big"), int.from_bytes(content[8:], "big")


def _bytes(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(8, "big") for number in numbers)


@pytest.mark.parametrize("content", [None, b"short"])
def test_a_count_that_is_not_there_stops_nothing(tmp_path: Path, content: bytes | None) -> None:
    """The daemon has said so where it could not write it; the file stays as it is."""
    file = tmp_path / "count"
    if content is not None:
        file.write_bytes(content)
    RecordCounts(file).add(records=4, filtered=3)
    assert (file.read_bytes() if file.exists() else None) == content


def test_what_measures_can_fail_and_nothing_else_does(events: Events) -> None:
    """A meter that raises, wherever it does, ends no batch and holds no checkpoint back; it is said once."""

    class Broken:
        def __getattr__(self, name: str) -> Callable[..., None]:
            def fail(*_: object) -> None:
                raise AttributeError(name)

            return fail

    for first in ("begun", "applied", "checkpointed", "closed"):
        broken = Broken()
        for name in ("begun", "applied", "checkpointed", "closed"):
            if name != first:
                setattr(broken, name, lambda *_: None)
        shard = Shard(applier=FakeApplier(), log=Log(), meter=SafeMeter(broken, Log()))
        processor = RecordProcessor(lambda _, shard=shard: shard, gone=threading.Event(), log=Log())
        processor.initialize(kcl.initialize())
        checkpointer = Checkpointer()
        for _ in range(2):
            kcl.process_records(RECORDS).dispatch(checkpointer, processor)
        kcl.shutdown_requested().dispatch(checkpointer, processor)
        assert checkpointer.stored == [LAST, LAST]
    said = [event for event in events() if event.name == "metrics_not_kept"]
    assert [event.fields["reason"] for event in said] == ["begun", "applied", "checkpointed", "closed"]


def test_an_empty_batch_asks_for_nothing() -> None:
    """Without records there is nothing to apply and nothing to checkpoint."""
    applier, checkpointer = FakeApplier(), Checkpointer()
    kcl.process_records([]).dispatch(checkpointer, _processor(applier))
    assert (applier.batches, checkpointer.calls) == ([], [])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RefusedError("refused", code="ValidationException"), errno.EIO),
        (DeadLetterError("disk full"), errno.EIO),
        (UnavailableError("gone", code="x"), errno.EIO),
        (UsageError("what"), errno.EIO),
        (StoppedByRefusalError("refused"), errno.EINVAL),
        (KeyError("BUG"), errno.EIO),
        (OSError("disk"), errno.EIO),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_batch_that_nobody_reads_again_ends_the_process(error: Exception, status: int, events: Events) -> None:
    """What ``apply`` raises leaves as SystemExit, said once, with nothing checkpointed: kclpy swallows the rest."""
    checkpointer = Checkpointer()
    with pytest.raises(SystemExit) as ended:
        kcl.process_records(RECORDS).dispatch(checkpointer, _processor(FakeApplier(error)))
    assert status == ended.value.code
    assert checkpointer.calls == []
    said = [event for event in events() if event.name == "stopped"]
    assert len(said) == 1
    assert ("BUG:" in said[0].fields["reason"]) == (not isinstance(error, ReplicatorError))


class ReadAgain(NoStandstill):
    """Notes what is given up."""

    def __init__(self) -> None:
        self.held: list[HeldError] = []

    def read_again(self, held: HeldError, cut_short: threading.Event) -> None:
        """As if the daemon had given the lease up."""
        assert not cut_short.is_set()
        self.held.append(held)
        raise LeaseLostError


@pytest.mark.parametrize(
    ("error", "is_bug"),
    [
        (RefusedError("refused", code="ValidationException"), False),
        (DeadLetterError("disk full"), False),
        (KeyError("BUG"), True),
        (OSError("disk"), True),
        (MemoryError(), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_batch_that_is_not_applied_is_given_up_and_read_again(error: Exception, is_bug: bool) -> None:  # noqa: FBT001  # a case
    """Whatever keeps one batch from being applied stops its shard alone, with nothing checkpointed."""
    standstill, checkpointer = ReadAgain(), Checkpointer()
    shard = Shard(applier=FakeApplier(error), log=Log(), standstill=standstill)
    processor = RecordProcessor(lambda _: shard, gone=threading.Event(), log=Log())
    processor.initialize(kcl.initialize())
    kcl.process_records(RECORDS).dispatch(checkpointer, processor)
    (held,) = standstill.held
    assert (held.is_bug, checkpointer.calls) == (is_bug, [])
    kcl.process_records(RECORDS).dispatch(checkpointer, processor)
    assert len(standstill.held) == 1


def test_a_record_that_cannot_be_understood_ends_the_process(events: Events) -> None:
    """A malformed record stops the shard before any change of its batch is applied, and its contents stay unsaid."""
    applier, checkpointer = FakeApplier(), Checkpointer()
    strange = stream_record("UPSERT", 9, key={"id": {"S": "a"}}, new={"id": {"S": "hush-hush"}}, old={})
    with pytest.raises(SystemExit) as ended:
        kcl.process_records([*RECORDS, strange.data]).dispatch(checkpointer, _processor(applier))
    assert ended.value.code == errno.EIO
    assert (applier.batches, checkpointer.calls) == ([], [])
    assert "hush-hush" not in str(events())


@pytest.mark.parametrize(
    "failure",
    [
        "ThrottlingException",
        "InvalidStateException",
        "KinesisClientLibDependencyException",
        "KinesisClientLibRetryableException",
    ],
)
def test_a_checkpoint_that_may_work_later_is_tried_again(failure: str, events: Events) -> None:
    """A checkpoint that KCL could not store now is tried until it is, without applying anything twice."""
    applier, checkpointer = FakeApplier(), Checkpointer([failure] * 3)
    kcl.process_records(RECORDS).dispatch(checkpointer, _processor(applier))
    assert checkpointer.calls == [LAST] * 4
    assert checkpointer.stored == [LAST]
    assert len(applier.batches) == 1
    assert [event.name for event in events()] == ["shard_started", "checkpoint_delayed"]


@pytest.mark.parametrize("failure", ["IllegalArgumentException", "SomethingNewException"])
def test_a_checkpoint_that_is_refused_ends_the_process(failure: str) -> None:
    """A checkpoint that trying again can't help ends the process, for the shard would never advance."""
    with pytest.raises(SystemExit) as ended:
        kcl.process_records(RECORDS).dispatch(Checkpointer([failure]), _processor(FakeApplier()))
    assert ended.value.code == errno.EIO


def test_after_a_lost_lease_nothing_is_written_or_checkpointed() -> None:
    """ShutdownException says that another worker has the shard: it is left alone from then on, without an error."""
    applier, checkpointer = FakeApplier(), Checkpointer(["ShutdownException"])
    processor = _processor(applier)
    kcl.process_records(RECORDS).dispatch(checkpointer, processor)
    kcl.process_records(RECORDS).dispatch(checkpointer, processor)
    kcl.shard_ended().dispatch(checkpointer, processor)
    kcl.lease_lost().dispatch(checkpointer, processor)
    assert len(applier.batches) == 1
    assert (checkpointer.calls, checkpointer.stored) == ([LAST], [])


def test_a_lost_lease_is_not_checkpointed() -> None:
    """``lease_lost`` stores nothing, and batches that still arrive are not applied."""
    applier, checkpointer = FakeApplier(), Checkpointer()
    processor = _processor(applier)
    kcl.lease_lost().dispatch(checkpointer, processor)
    kcl.process_records(RECORDS).dispatch(checkpointer, processor)
    assert (applier.batches, checkpointer.calls) == ([], [])


def test_a_shards_end_is_checkpointed() -> None:
    """``shard_ended`` checkpoints at the end, without a number, for its children start only then."""
    checkpointer = Checkpointer(["ThrottlingException"])
    kcl.shard_ended().dispatch(checkpointer, _processor(FakeApplier()))
    assert checkpointer.stored == [None]


def test_a_requested_shutdown_stores_nothing() -> None:
    """Each batch was checkpointed when it was applied, so there is nothing left to store at the end."""
    checkpointer = Checkpointer()
    kcl.shutdown_requested().dispatch(checkpointer, _processor(FakeApplier()))
    assert checkpointer.calls == []


def test_a_daemon_that_goes_between_two_tries_ends_them(events: Events) -> None:
    """A checkpoint is tried without end, but not for a daemon that is gone."""
    gone = threading.Event()
    checkpointer = Checkpointer(["ThrottlingException"] * 3, before=lambda _: gone.set())
    shard = Shard(applier=FakeApplier(), log=Log())
    processor = RecordProcessor(lambda _: shard, gone=gone, log=Log())
    processor.initialize(kcl.initialize())
    with pytest.raises(SystemExit) as ended:
        kcl.process_records(RECORDS).dispatch(checkpointer, processor)
    assert (ended.value.code, len(checkpointer.calls)) == (6, 1)
    assert "The daemon has gone" in events()[-1].fields["reason"]


@pytest.mark.parametrize("error", [ValueError("Expecting value"), BrokenPipeError("Broken pipe")])
def test_a_daemon_that_goes_during_a_checkpoint_is_no_bug(error: Exception, events: Events) -> None:
    """Where the daemon died, the end of the pipe ends this process too, with a message that says what happened."""

    def gone(_: str | None) -> None:
        raise error

    with pytest.raises(SystemExit):
        kcl.process_records(RECORDS).dispatch(Checkpointer(before=gone), _processor(FakeApplier()))
    assert "The daemon has gone" in events()[-1].fields["reason"]


def test_a_shard_that_cannot_be_opened_ends_the_process() -> None:
    """An error while the shard is opened leaves with its own status, like every other."""

    def fail(_: str) -> Shard:
        raise UsageError("no")

    processor = RecordProcessor(fail, gone=threading.Event(), log=Log())
    with pytest.raises(SystemExit) as ended:
        processor.initialize(kcl.initialize())
    assert ended.value.code == errno.EINVAL


def test_what_was_done_is_summed_up(events: Events) -> None:
    """Once a minute, and at the end, one line says how many records were applied and how far behind they were."""
    now = [1_700_000_000.0]
    shard = Shard(applier=FakeApplier(), log=Log())
    processor = RecordProcessor(lambda _: shard, gone=threading.Event(), log=Log(), clock=lambda: now[0])
    processor.initialize(kcl.initialize())
    for seconds in (2, 3, 70):  # the records are of 1,700,000,000
        now[0] = 1_700_000_000.0 + seconds
        kcl.process_records(RECORDS).dispatch(Checkpointer(), processor)
    kcl.process_records(RECORDS).dispatch(Checkpointer(), processor)
    kcl.shutdown_requested().dispatch(Checkpointer(), processor)
    sums = [(event.fields["records"], event.fields["max_lag_ms"]) for event in events() if event.name == "applied"]
    assert sums == [(9, 70_000), (3, 70_000)]
