"""Any interleaving of writes, batches, faults, crashes and replays ends with the destination equal to the source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import get_args

import msgspec
from amazon_kclpy.checkpoint_error import CheckpointError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from processor.dynamodb.item_view import View
from processor.errors import RefusedError
from processor.flow.outage import Outage
from processor.replication.apply import Applier
from processor.replication.change import Change
from processor.replication.checkpoint import Checkpoint
from processor.replication.coalescing import every_change, last_changes
from processor.replication.record_processor import RecordProcessor, Shard
from processor.replication.stream_record import decode
from processor.reporting.logs import Log
from tests.fakes.daemon import kcl
from tests.fakes.daemon.kcl import Checkpointer
from tests.fakes.dynamodb.table import FakeTable, Fault, Killed
from tests.fakes.policies import AT_ONCE
from tests.fakes.streams.stream_record import Item, StreamRecord, joined, sequence_number, stream_record

KEYS = st.sampled_from("abcdefgh")
# What may happen at a checkpoint: KCL answers with an exception, or this process is killed before or after it.
CHECKPOINTS = st.sampled_from([None, None, "ThrottlingException", "ShutdownException", "killed before", "killed after"])
FAULTS = st.lists(st.sampled_from(get_args(Fault)), max_size=6)


class _Daemon(Checkpointer):
    """KCL's side of one shard: what it stored outlives every process."""

    def __init__(self) -> None:
        super().__init__()
        self.next: str | None = None
        self.check: Callable[[str | None], None] = lambda _: None

    def checkpoint(self, sequence_number: str | None = None, sub_sequence_number: int | None = None) -> None:
        """Store one, unless the next event says otherwise."""
        event, self.next = self.next, None
        if event == "killed before":
            raise Killed
        if event in ("ThrottlingException", "ShutdownException"):
            raise CheckpointError(event)
        self.check(sequence_number)
        super().checkpoint(sequence_number, sub_sequence_number)
        if event == "killed after":
            raise Killed


def _every_third_version_without_padding(item: msgspec.Raw) -> msgspec.Raw | None:
    attributes = msgspec.json.decode(item)
    if int(attributes["version"]["N"]) % 3:
        return None
    del attributes["padding"]
    return msgspec.Raw(msgspec.json.encode(attributes))


class Replication(RuleBasedStateMachine):
    """One shard from source to destination; at the end of each run everything is delivered and compared."""

    view: View | None = None
    interval_seconds = 0.0

    @initialize(write_mode=st.sampled_from(["batch", "item"]), coalesce=st.booleans(), threads=st.integers(1, 3))
    def begin(self, write_mode: str, threads: int, *, coalesce: bool) -> None:
        """An empty source and destination."""
        self.stream: list[StreamRecord] = []
        self.source: dict[str, Item] = {}
        self.daemon = _Daemon()
        self.daemon.check = self._nothing_is_passed_over
        self.table = FakeTable()
        self.options = {
            "write_mode": write_mode,
            "coalescing": last_changes if coalesce else every_change,
            "threads": threads,
        }
        self.applied = 0
        self.now = 0.0
        self._start()

    def _start(self) -> None:
        """A new process goes on from the stored checkpoint, with nothing else to remember."""
        self.position = self._after(self.daemon.stored[-1]) if self.daemon.stored else 0
        gone = threading.Event()

        def open_shard(shard_id: str) -> Shard:
            outage = Outage(Log(), "writes_delayed", note="kept")
            checkpoint = Checkpoint(
                Log(), gone=gone, interval_seconds=self.interval_seconds, policy=AT_ONCE, clock=lambda: self.now
            )
            applier = Applier(
                self.table,
                name=shard_id,
                refused=self._refused,
                outage=outage,
                policy=AT_ONCE,
                earlier=checkpoint,
                **self.options,
            )
            return Shard(applier=applier, log=Log(), view=self.view, checkpoint=checkpoint)

        self.processor = RecordProcessor(open_shard, gone=gone, log=Log())
        self.processor.initialize(kcl.initialize())

    def _refused(self, change: Change, error: RefusedError) -> None:
        raise AssertionError(change) from error

    def _after(self, number: str | None) -> int:
        return [record.sequence_number for record in self.stream].index(str(number)) + 1

    @rule(key=KEYS, size=st.sampled_from([1, 1, 1, 300_000]))
    def put(self, key: str, size: int) -> None:
        """The source writes an item, each time with another value."""
        number = len(self.stream)
        item = {"id": {"S": key}, "version": {"N": str(number)}, "padding": {"S": "x" * size}}
        name, old = ("MODIFY", self.source[key]) if key in self.source else ("INSERT", {})
        self.source[key] = item
        self.stream.append(stream_record(name, number, key={"id": item["id"]}, new=item, old=old))

    @precondition(lambda self: self.source)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """The source deletes an item."""
        key = data.draw(st.sampled_from(sorted(self.source)))
        old = self.source.pop(key)
        self.stream.append(stream_record("REMOVE", len(self.stream), key={"id": old["id"]}, new={}, old=old))

    @rule(key=KEYS, times=st.integers(2, 8))
    def put_often(self, key: str, times: int) -> None:
        """The source writes one item again and again, so that a batch has it more than once."""
        for _ in range(times):
            self.put(key, 1)

    @precondition(lambda self: self.position < len(self.stream))
    @rule(size=st.integers(1, 30), faults=FAULTS, event=CHECKPOINTS)
    def deliver(self, size: int, faults: list[Fault], event: str | None) -> None:
        """The daemon hands on the next batch, while the destination, KCL or the process itself may fail."""
        batch = self.stream[self.position : self.position + size]
        self.table.faults.extend(faults)
        self._hand_over(batch, event)

    def _hand_over(self, batch: Sequence[StreamRecord], event: str | None) -> None:
        """A batch, or none of it; where no checkpoint is asked for, ``event`` does not happen."""
        self.daemon.next = event
        self.applied = self.position + len(batch)
        try:
            kcl.process_records([record.data for record in batch]).dispatch(self.daemon, self.processor)
        except Killed:
            self.table.faults.clear()
            self._start()
        else:
            self.position += len(batch)
            if event == "ShutdownException" and self.daemon.next is None:
                self._a_lost_shard_is_left_alone()
                self._start()
        self.daemon.next = None

    def _a_lost_shard_is_left_alone(self) -> None:
        calls = len(self.table.calls)
        kcl.process_records([record.data for record in self.stream]).dispatch(self.daemon, self.processor)
        assert calls == len(self.table.calls)

    @rule()
    def crash(self) -> None:
        """The process is killed between two batches, and another one takes over."""
        self._start()

    @rule()
    def shut_down(self) -> None:
        """An orderly end, and a new start."""
        kcl.shutdown_requested().dispatch(self.daemon, self.processor)
        self._start()

    def _nothing_is_passed_over(self, number: str | None) -> None:
        """At a checkpoint every key is as the last change before it made it, or as a later one did."""
        passed = self._after(number)
        allowed: dict[bytes, set[bytes]] = {}
        for place, record in enumerate(self.stream):
            (change,) = decode(joined([record.data]), self.view)
            image = bytes(change.image or b"")
            allowed[change.identity] = {image} if place < passed else allowed.get(change.identity, {b""}) | {image}
        for identity, images in allowed.items():
            assert self.table.items.get(identity, b"") in images
        assert passed in self._may_be_stored()

    def _may_be_stored(self) -> set[int]:
        """Between which changes a checkpoint may stand now: without an interval, after those of the batch in hand."""
        return {self.applied}

    @invariant()
    def checkpoints_only_move_on(self) -> None:
        """KCL's checkpoint never goes back within the stream, whatever is replayed."""
        if hasattr(self, "daemon"):
            places = [int(number or 0) for number in self.daemon.stored]
            assert sorted(places) == places

    def teardown(self) -> None:
        """With all faults over and everything delivered, the destination is what is seen of the source."""
        if not hasattr(self, "daemon"):
            return
        self.table.faults.clear()
        self._start()
        if self.position < len(self.stream):
            self.deliver(len(self.stream), [], None)
        images = [msgspec.Raw(msgspec.json.encode(item)) for item in self.source.values()]
        seen = [image if self.view is None else self.view(image) for image in images]
        assert {bytes(image) for image in seen if image is not None} == set(self.table.items.values())
        assert self.table.overlaps == []
        if self.stream:
            assert self.daemon.stored[-1] == sequence_number(len(self.stream) - 1)


class ReplicationOfAView(Replication):
    """The same, where some of the source's items are not at the destination, and the others are there in part."""

    view = staticmethod(_every_third_version_without_padding)


class ReplicationWithAnInterval(Replication):
    """The same with ``checkpointIntervalMillis``: a crash replays no more than that, a clean stop nothing."""

    interval_seconds = 10.0

    @initialize()
    def begin_counting(self) -> None:
        """No checkpoint is stored."""
        self.stored_at: list[float] = []  # of this process, those that nothing but the interval asked for
        self.asked = False  # for all that is pending, whatever the time
        self.applied_at: list[float] = []  # by a change's place, when its batch was last applied

    def _start(self) -> None:
        super()._start()
        self.stored_at = []

    def _nothing_is_passed_over(self, number: str | None) -> None:
        super()._nothing_is_passed_over(number)
        if not self.asked:
            assert not self.stored_at or self.now - self.stored_at[-1] >= self.interval_seconds
        self.stored_at.append(self.now)

    def _may_be_stored(self) -> set[int]:
        return {self.position, self.applied}  # earlier batches' while this one waits for the destination

    @rule(seconds=st.sampled_from([1.0, 4.0, 9.0, 10.0, 30.0]), event=CHECKPOINTS)
    def rest(self, seconds: float, event: str | None) -> None:
        """Time passes, and the daemon asks for what is due, as it does without records, too."""
        self.now += seconds
        self._hand_over([], event)

    @rule()
    def shut_down(self) -> None:
        """An orderly end leaves nothing to be applied again."""
        self.asked, self.applied = True, self.position
        kcl.shutdown_requested().dispatch(self.daemon, self.processor)
        self.asked = False
        assert self.position == (self._after(self.daemon.stored[-1]) if self.daemon.stored else 0)
        self._start()

    @invariant()
    def nothing_older_than_the_interval_is_pending(self) -> None:
        """A crash would replay what was applied within the interval, at most."""
        if not hasattr(self, "daemon"):
            return
        del self.applied_at[self.position :]
        self.applied_at += [self.now] * (self.position - len(self.applied_at))
        stored = self._after(self.daemon.stored[-1]) if self.daemon.stored else 0
        assert all(self.now - at < self.interval_seconds for at in self.applied_at[stored:])


Replication.TestCase.settings = settings(max_examples=120, stateful_step_count=25)
ReplicationOfAView.TestCase.settings = Replication.TestCase.settings
ReplicationWithAnInterval.TestCase.settings = Replication.TestCase.settings
TestConvergence = Replication.TestCase
TestConvergenceOfAView = ReplicationOfAView.TestCase
TestConvergenceWithAnInterval = ReplicationWithAnInterval.TestCase
