"""What becomes of each dead letter, whatever happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from processor.commands.redrive.run import Redrive
from processor.dynamodb.expiry import Expiry, PastTtl
from processor.dynamodb.item_view import UNSEEN
from processor.dynamodb.keys import identity_of
from processor.errors import (
    CredentialsError,
    DeadLetterError,
    StalledError,
    StoppedError,
    ThrottledError,
    UnavailableError,
)
from processor.flow.outage import Outage
from processor.flow.retry_policy import COMMAND
from processor.replication.change import Change
from processor.replication.dead_letters.file_store import LetterFile, append_line
from processor.replication.dead_letters.letter import Entry, encode
from processor.reporting.logs import Log
from tests.fakes import patience
from tests.fakes.dynamodb.source import FakeSource
from tests.fakes.dynamodb.table import FakeTable
from tests.fakes.policies import COMMAND_AT_ONCE
from tests.fakes.streams.stream_record import sequence_number
from tests.fakes.task.letters import letter
from tests.fakes.task.tasks import task


def _identity(name: str) -> bytes:
    return identity_of(letter(name).key)


def _image(name: str, value: str) -> bytes:
    return msgspec.json.encode({"id": {"S": name}, "value": {"S": value}})


class SharedTable(FakeTable):
    """Takes several writes of one key at once, as the writers of two processes may make them."""

    def write_one(self, change: Change) -> None:
        """Like PutItem or DeleteItem."""
        self._write([change])


class Run:
    """Letters in a file, a source and a destination in memory, and redrives of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = LetterFile(path)
        self.source: dict[bytes, bytes] = {}
        self.table = FakeTable()
        self.stop = threading.Event()
        self.before: Callable[[bytes], None] = lambda _: None
        self.now = 0.0
        self.said: list[str] = []

    def letter(self, name: str, **more: Any) -> None:
        """A letter of key ``name``."""
        self.store.put(letter(name, **more))

    def put(self, name: str, value: str = "v") -> None:
        """The source has an item."""
        self.source[_identity(name)] = _image(name, value)

    def make(self, *, threads: int = 1, **more: Any) -> Redrive:
        """A redrive, not run yet."""
        return Redrive(
            task(taskName="t", **more.pop("settings", {})),
            more.pop("store", self.store),
            source=FakeSource(self.source, before=self._before),
            destination=FakeSource(self.table.items),
            table=self.table,
            threads=threads,
            outage=Outage(Log(), "redrive_delayed", note=""),
            stop=self.stop,
            progress=self.said.append,
            policy=COMMAND_AT_ONCE,
            clock=lambda: self.now,
            **more,
        )

    def _before(self, identity: bytes) -> None:
        self.before(identity)

    def left(self) -> list[str]:
        """What is still in the file: keys of letters, and other lines as they are."""
        lines = self.path.read_text().splitlines()
        return [msgspec.json.decode(line)["key"]["id"]["S"] if '"key"' in line else line for line in lines]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """An empty world."""
    return Run(tmp_path / "letters.jsonl")


def test_letters_are_settled_once_for_each_key(run: Run) -> None:
    """A key's letters are one piece of work: the source's item is written once, with the latest number, and all go."""
    run.put("a", "newest")
    for number in (1, 12, 3):
        run.letter("a", number=number)
    run.letter("gone")
    run.table.items[_identity("gone")] = b"old"
    redrive = run.make()
    redrive.run()
    assert {_identity("a"): _image("a", "newest")} == run.table.items
    assert [sequence_number(12), sequence_number(1)] == [change.sequence_number for change in run.table.done]
    report = redrive.report
    assert (report.letters, report.keys, report.applied, report.pending, report.removed_letters) == (4, 2, 2, 0, 4)
    assert [result.write for result in report.results] == ["put", "delete"]
    assert run.left() == []
    assert not report.still_failing


def test_equal_keys_in_two_notations_are_one(run: Run) -> None:
    """1 and 1.0 are one key."""
    for notation in (b"1", b"1.0"):
        key = b'{"id":{"N":"%b"}}' % notation
        append_line(run.path, encode(letter("x")).replace(b'{"id":{"S":"x"}}', key))
    redrive = run.make()
    redrive.run()
    assert (redrive.report.letters, redrive.report.keys) == (2, 1)


def test_what_is_equal_already_is_moot(run: Run) -> None:
    """Where the destination has the source's item, nothing is written, and the letter goes."""
    run.put("a")
    run.table.items[_identity("a")] = _image("a", "v")
    run.letter("a")
    run.letter("neither has it")
    redrive = run.make()
    redrive.run()
    assert (redrive.report.moot, redrive.report.removed_letters) == (2, 2)
    assert run.table.calls == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_archives_only_copy_is_kept(run: Run, *, dry_run: bool) -> None:
    """With ttlDeletes=ignore a letter may hold what TTL has deleted at the source: nothing is deleted, and it stays."""
    run.letter("gone")
    run.letter("gone, and older there")
    run.table.items[_identity("gone, and older there")] = b"old"
    run.put("there")
    run.letter("there")
    redrive = run.make(dry_run=dry_run, settings={"ttlDeletes": "ignore"})
    redrive.run()
    assert (redrive.report.failing, redrive.report.applied) == (2, 1)
    assert _identity("gone, and older there") in run.table.items
    assert run.left() == ["gone", "gone, and older there", *(["there"] if dry_run else [])]
    assert redrive.report.still_failing


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_an_archives_settings_leave_out_is_not_its_only_copy(run: Run, *, dry_run: bool) -> None:
    """The source has the item, and nothing of it is to be there: so it is deleted, and the letter goes."""
    run.letter("left out")
    run.letter("never there")
    run.source[_identity("left out")] = run.source[_identity("never there")] = bytes(UNSEEN)
    run.table.items[_identity("left out")] = b'{"id":{"S":"left out"}}'
    redrive = run.make(dry_run=dry_run, settings={"ttlDeletes": "ignore"})
    redrive.run()
    report = redrive.report
    assert ([result.write for result in report.results], report.applied, report.moot) == (["delete", None], 1, 1)
    assert (_identity("left out") in run.table.items) == dry_run


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_is_past_its_ttl_is_not_brought_back(run: Run, *, dry_run: bool) -> None:
    """The destination has deleted it already, as the source will: moot. One that is there is written."""
    for name in "ab":
        run.letter(name)
        run.source[_identity(name)] = msgspec.json.encode({"id": {"S": name}, "ttl": {"N": "100"}})
    run.table.items[_identity("b")] = msgspec.json.encode({"id": {"S": "b"}, "ttl": {"N": "300"}})
    redrive = run.make(expiry=Expiry(source=PastTtl("ttl", lambda: 200.0)), dry_run=dry_run)
    redrive.run()
    assert (redrive.report.moot, redrive.report.applied) == (1, 1)
    assert _identity("a") not in run.table.items


def test_what_is_refused_again_stays(run: Run) -> None:
    """A key that the destination still refuses keeps its letters, with the reason in the report."""
    run.table = FakeTable(refuse=[_identity("bad")])
    for name in ("good", "bad"):
        run.put(name)
        run.letter(name)
    redrive = run.make()
    redrive.run()
    assert run.left() == ["bad"]
    (failing,) = [result for result in redrive.report.results if result.outcome == "failing"]
    assert failing.reason == "fake: refused"
    assert failing.letters == [f"{run.path}:2"]
    assert redrive.report.still_failing


def test_a_letter_that_comes_meanwhile_stays(run: Run) -> None:
    """A daemon's new letter of the same key is not removed with those that were read before."""
    run.put("a")
    run.letter("a", number=1)
    run.before = lambda _: run.letter("a", number=2) if run.left() == ["a"] else None
    redrive = run.make()
    redrive.run()
    assert [sequence_number(2)] == [e.heading.sequence_number for e in run.store.entries() if e.heading]


def test_letters_of_others_are_kept_and_not_applied(run: Run) -> None:
    """Another task's letters, or another table's, are reported and neither applied, removed nor counted as failing."""
    run.put("a")
    run.letter("a", task_name="other")
    run.letter("a", table="other-table")
    redrive = run.make()
    redrive.run()
    assert run.table.calls == []
    assert [f"{run.path}:1", f"{run.path}:2"] == [found.place for found in redrive.report.foreign]
    assert "of task other, for table orders-copy in us-east-1" in redrive.report.foreign[0].reason
    assert len(run.left()) == 2
    assert not redrive.report.still_failing


def test_torn_lines_are_kept_and_count_as_failing(run: Run) -> None:
    """What is no letter is named by file and line, and stays as it is."""
    run.letter("a")
    append_line(run.path, b'{"torn')
    redrive = run.make()
    redrive.run()
    assert [f"{run.path}:2"] == [found.place for found in redrive.report.unreadable]
    assert run.left() == ['{"torn']
    assert redrive.report.still_failing


def test_a_dry_run_writes_nothing(run: Run) -> None:
    """It says what would be put, deleted and found equal, and leaves table and letters alone."""
    run.put("new")
    run.table.items[_identity("gone")] = b"old"
    for name in ("new", "gone", "equal"):
        run.letter(name)
    before = run.path.read_bytes()
    redrive = run.make(dry_run=True)
    redrive.run()
    assert [result.write for result in redrive.report.results] == ["put", "delete", None]
    assert (redrive.report.applied, redrive.report.moot, redrive.report.removed_letters) == (2, 1, 0)
    assert run.table.calls == []
    assert before == run.path.read_bytes()


def test_a_short_outage_is_waited_for(run: Run) -> None:
    """Throttling and lost answers begin the key again from its first read."""
    run.put("a")
    run.letter("a")
    run.table.faults.extend(["throttle", "unanswered", "throttle"])
    redrive = run.make()
    redrive.run()
    assert redrive.report.applied + redrive.report.moot == 1
    assert {_identity("a"): _image("a", "v")} == run.table.items


def test_a_throttled_key_is_waited_for(run: Run) -> None:
    """However long it takes: a throttle is an answer. The other keys are settled, and nothing ends the run."""
    for name in ("hot", "cold"):
        run.put(name)
        run.letter(name)
    throttles = iter(range(50))

    def throttle(identity: bytes) -> None:
        if identity == _identity("hot") and next(throttles, None) is not None:
            run.now += COMMAND.outage_seconds / 3
            raise ThrottledError("fake: throttled", code="ProvisionedThroughputExceededException")

    run.before = throttle
    redrive = run.make()
    redrive.run()
    assert (redrive.report.applied, redrive.report.pending, run.left()) == (2, 0, [])
    assert run.now > 2 * COMMAND.outage_seconds


def test_a_long_outage_ends_it(run: Run) -> None:
    """After a day in vain it ends; what was settled is removed, and the rest is as it was."""
    for name in ("a", "b"):
        run.put(name)
        run.letter(name)

    def fail(identity: bytes) -> None:
        if identity == _identity("b"):
            run.now += COMMAND.outage_seconds / 3
            raise UnavailableError("fake: away", code="ConnectionError")

    run.before = fail
    redrive = run.make()
    with pytest.raises(StalledError, match="fake: away"):
        redrive.run()
    assert run.left() == ["b"]
    assert (redrive.report.applied, redrive.report.pending) == (1, 1)


def test_a_rotation_of_credentials_is_waited_for(run: Run) -> None:
    """They are looked up anew, and the key is settled."""
    run.put("a")
    run.letter("a")
    run.table.faults.append("credentials")
    run.make().run()
    assert run.left() == []
    assert run.table.renewals > 0


def test_a_denial_ends_it_at_once(run: Run) -> None:
    """Nobody waits for a permission."""
    run.put("a")
    run.letter("a")
    run.table.faults.append("denied")
    with pytest.raises(CredentialsError):
        run.make().run()
    assert run.left() == ["a"]


def test_it_stops_between_keys(run: Run) -> None:
    """Stopped, it makes the key in hand up to date, removes what is settled, and leaves the rest."""
    for number in range(10):
        run.put(str(number))
        run.letter(str(number))
    run.before = lambda identity: run.stop.set() if identity == _identity("2") else None
    redrive = run.make()
    with pytest.raises(StoppedError):
        redrive.run()
    assert [str(number) for number in range(3, 10)] == run.left()
    assert {_identity(str(number)) for number in range(3)} == set(run.table.items)
    assert (redrive.report.applied, redrive.report.pending) == (3, 7)


@pytest.mark.parametrize("threads", [1, 3])
def test_killed_anywhere_it_loses_no_letter(threads: int, run: Run) -> None:
    """At whatever write it dies, each key is up to date or has its letter, and the next run settles the rest."""
    names = [str(number) for number in range(8)]
    for name in names:
        run.put(name)
        run.letter(name)

    class Killed(BaseException):
        """No code of ours runs after it."""

    class Dying(LetterFile):
        """Is not there any more."""

        def remove(self, entries: Collection[Entry]) -> int:
            raise Killed(entries)

    with pytest.raises(Killed):
        run.make(threads=threads, store=Dying(run.path)).run()
    assert names == run.left()
    again = run.make(threads=threads)
    again.run()
    assert (again.report.moot, again.report.removed_letters) == (8, 8)


def test_two_at_once_do_no_harm(run: Run) -> None:
    """Two runs over the same letters end with the source's items and no letter."""
    for number in range(30):
        run.put(str(number))
        run.letter(str(number))
    run.table = SharedTable()
    redrives = [run.make(threads=2) for _ in range(2)]
    threads = [threading.Thread(target=redrive.run, daemon=True) for redrive in redrives]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=patience.PATIENCE_SECONDS)
    assert run.source == run.table.items
    assert run.left() == []
    assert [redrive.report.pending for redrive in redrives] == [0, 0]
    assert sum(redrive.report.removed_letters for redrive in redrives) == 30


def test_what_is_settled_is_removed_now_and_then(run: Run) -> None:
    """A long run does not leave all removing to its end, where a crash would have it look at everything anew."""
    for number in range(20):
        run.letter(str(number))
    left: list[int] = []

    def tick(_: bytes) -> None:
        run.now += 0.5  # neither table has the key, for which the source is read twice
        left.append(len(run.left()))

    run.before = tick
    run.make().run()
    assert {20, 8} == set(left)


def test_letters_that_cannot_be_removed_are_an_error(run: Run) -> None:
    """The keys are up to date then; the next run finds them so."""
    run.put("a")
    run.letter("a")

    class ReadOnly(LetterFile):
        """Not ours to change."""

        def remove(self, entries: Collection[Entry]) -> int:
            raise DeadLetterError(f"can't be removed: {len(entries)}")

    with pytest.raises(DeadLetterError):
        run.make(store=ReadOnly(run.path)).run()
    assert {_identity("a"): _image("a", "v")} == run.table.items


def test_it_can_be_stopped_while_it_reads(run: Run) -> None:
    """A signal during the reading of many letters ends it before anything is written."""

    class Endless(LetterFile):
        """As many letters as one likes."""

        def entries(self) -> Iterator[Entry]:
            while True:
                yield next(super().entries())

    run.letter("a")
    run.said = type("Stopping", (list,), {"append": lambda _, __: run.stop.set()})()
    with pytest.raises(StoppedError):
        run.make(store=Endless(run.path)).run()
    assert run.table.calls == []
