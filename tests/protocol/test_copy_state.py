"""The rows of a copy on DynamoDB Local, and who may write them."""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from processor.aws.clients import Clients
from processor.commands.copy import command, lock
from processor.commands.copy.lock import CopyLock
from processor.commands.copy.member import CopyMember
from processor.commands.copy.options import CopyOptions
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.errors import CopyTakenError, NotReadyError, RefusedError, StalledError, StoppedError, UnavailableError
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.flow.retry_limit import RetryLimit
from processor.flow.retry_policy import COPY as COPY_POLICY
from processor.reporting.logs import Log
from processor.state import copy_members, copy_rows
from processor.state import task_row as tasks
from processor.state.copy_rows import CopyState, SegmentState
from processor.state.sharing import watch
from processor.state.sharing.work import Worker
from processor.state.sharing.work_queue import WorkQueue
from processor.system import process_name
from tests import schemas
from tests.conftest import Tables
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Exchange, Fault
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.fakes.policies import AT_ONCE, limit_commands
from tests.fakes.task.tasks import task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COPY = CopyState(id="1", segments=3, started_ms=5, stream_arn="arn", concurrent=True)
OPEN = msgspec.structs.replace(COPY, members={})
ELSEWHERE = "another-host/1/x/y"


@pytest.fixture
def table(tables: Tables) -> str:
    """A task table."""
    return tables.create("name:S")


@pytest.fixture
def client(dynamodb: DynamoDBLocal) -> DynamoDBClient:
    """Of a task whose tables are there."""
    return Clients(task(sourceEndpoint=dynamodb.endpoint)).checkpoints()


def _hold(client: DynamoDBClient, table: str, *, copy: CopyState = COPY, before: CopyState | None = None) -> CopyLock:
    return CopyLock(lambda: client, table, copy, before=before, failed=pytest.fail)


def _open(client: DynamoDBClient, table: str, *, before: CopyState | None = None) -> None:
    """A copy that nobody works on yet."""
    copy_rows.write(client, table, lock.begun_here(OPEN), before=before)


def _member(client: DynamoDBClient, table: str, **more: Any) -> CopyMember:
    """One that has joined."""
    options: dict[str, Any] = {"stop": threading.Event(), "failed": pytest.fail} | more
    member = CopyMember(lambda: client, table, OPEN, **options)
    member.join()
    return member


def _taken(client: DynamoDBClient, table: str, copy: CopyState) -> list[SegmentState | None]:
    """What is left of all segments, which are taken, whoever held them."""
    seen = {row.number: row.holder for row in copy_rows.read_rows(client, table)}
    numbers = sorted({*range(copy.segments), *seen})
    rows = [copy_rows.take(client, table, copy, number, seen=seen.get(number, "")) for number in numbers]
    return [row.left_of(copy) for row in rows]


def test_rows_there_and_back(client: DynamoDBClient, table: str) -> None:
    """What is stored is what is read, keys in hand and starts of binary keys byte for byte."""
    assert copy_rows.read(client, table) is None
    copy = msgspec.structs.replace(COPY, members={"m": Worker(host="here", beat=7)})
    copy_rows.write(client, table, copy, before=None)
    assert copy_rows.read(client, table) == copy
    assert _taken(client, table, COPY) == [SegmentState(number=number) for number in range(3)]
    keys = [msgspec.Raw(b'{"id":{"B":"/w=="},"n":{"N":"1E+2"}}'), msgspec.Raw('{"id":{"S":"é"}}'.encode())]
    segment = SegmentState(number=1, start=keys[0], items=7, size_bytes=99, in_hand=keys)
    copy_rows.save(client, table, COPY, segment)
    assert copy_rows.read_segments(client, table, COPY) == [segment]
    assert _taken(client, table, COPY)[1] == segment


def test_rows_of_an_earlier_copy_say_nothing(client: DynamoDBClient, table: str) -> None:
    """A copy that is begun anew begins at the beginning."""
    _taken(client, table, COPY)
    copy_rows.save(client, table, COPY, SegmentState(number=0, done=True))
    assert _taken(client, table, COPY)[0] is None
    anew = msgspec.structs.replace(COPY, id="2")
    assert copy_rows.read_segments(client, table, anew) == []
    assert _taken(client, table, anew)[0] == SegmentState(number=0)


KEYS_IN_HAND = [msgspec.Raw(b'{"id":{"S":"a"}}')]


def test_what_an_earlier_copy_had_in_hand_is_looked_after(client: DynamoDBClient, table: str) -> None:
    """By whatever copy comes next, until it stores a state of its own; and where it has fewer segments, too."""
    _taken(client, table, COPY)
    for number in (1, 2):
        copy_rows.save(client, table, COPY, SegmentState(number=number, items=7, in_hand=KEYS_IN_HAND))
    anew = msgspec.structs.replace(COPY, id="2", segments=2, concurrent=False)
    left = [
        SegmentState(number=0),
        SegmentState(number=1, in_hand=KEYS_IN_HAND),
        SegmentState(number=2, in_hand=KEYS_IN_HAND, done=True),
    ]
    assert _taken(client, table, anew) == left
    assert _taken(client, table, anew) == left
    for segment in left[1:]:
        copy_rows.save(client, table, anew, msgspec.structs.replace(segment, in_hand=[]))
    assert copy_rows.read_in_hand(client, table) == []
    assert _taken(client, table, anew) == [SegmentState(number=0), SegmentState(number=1), None]
    assert [segment.number for segment in copy_rows.read_segments(client, table, anew)] == [1]


def test_a_copy_that_somebody_runs_is_not_forgotten(client: DynamoDBClient, table: str) -> None:
    """Whose row has changed since it was read stays; one that is gone is forgotten."""
    copy_rows.write(client, table, COPY, before=None)
    with _hold(client, table, before=COPY) as held:
        with pytest.raises(CopyTakenError):
            copy_rows.delete(client, table, before=COPY)
        held.change(state="done")
    copy_rows.delete(client, table, before=held.copy)
    copy_rows.delete(client, table, before=held.copy)
    assert copy_rows.read(client, table) is None


def test_a_copy_with_keys_in_hand_is_not_forgotten(dynamodb: DynamoDBLocal, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody would come back to them; without them it is."""
    settings = task(kclEndpoint=dynamodb.endpoint, taskName=f"forget-{uuid.uuid4().hex}")
    client = Clients(settings).checkpoints()
    made = tasks.of(settings, "arn")
    tasks.write(client, settings.task_table, made, before=None)
    copy_rows.write(client, settings.task_table, COPY, before=None)
    _taken(client, settings.task_table, COPY)
    copy_rows.save(client, settings.task_table, COPY, SegmentState(number=1, in_hand=KEYS_IN_HAND))
    with pytest.raises(NotReadyError, match="stopped with 1 keys in hand"):
        command.run(settings, CopyOptions(forget=True))
    copy_rows.save(client, settings.task_table, COPY, SegmentState(number=1))
    capsys.readouterr()
    for forgotten, words in ((True, "The copy is forgotten"), (False, "There is no copy to forget")):
        assert command.run(settings, CopyOptions(forget=True, as_json=True)) == 0
        assert copy_rows.read(client, settings.task_table) is None
        printed = capsys.readouterr()
        schemas.hold("copy", printed.out)
        assert (json.loads(printed.out), words in printed.err) == ({"forgotten": forgotten}, True)


def test_a_task_without_a_table_has_no_copy(client: DynamoDBClient) -> None:
    """It was never started."""
    assert copy_rows.read(client, "no-such-table") is None


def test_a_row_that_is_not_ours(client: DynamoDBClient, table: str) -> None:
    """It is said, with the table's name."""
    client.put_item(TableName=table, Item={"name": {"S": "copy"}, "state": {"S": "paused"}})
    with pytest.raises(UnavailableError, match=f"{table} holds a row 'copy' that is not ours"):
        copy_rows.read(client, table)


def test_who_was_overtaken_writes_nothing_more(client: DynamoDBClient, table: str) -> None:
    """Neither rows nor items; who goes on is not disturbed, and who leaves is no member any more."""
    _open(client, table)
    first, second = _member(client, table), _member(client, table)
    with second, first:
        assert first.take(0, seen="") is not None
        assert second.take(0, seen="") is None  # it is held
        copy_rows.ROWS.remove(client, table, OPEN, member=first.id, seen_beat=0)
        assert second.take(0, seen=first.id) is not None
        with pytest.raises(CopyTakenError):
            first.save(SegmentState(number=0))
        second.save(SegmentState(number=0, items=1))
        with pytest.raises(CopyTakenError):
            first.others()
        until(lambda: _is_taken(first), "the first one to know")
        second.may_write()
    found = copy_rows.read(client, table)
    assert found is not None
    assert (found.state, found.members) == ("running", {})


def _is_taken(member: CopyMember) -> bool:
    try:
        member.may_write()
    except CopyTakenError:
        return True
    return False


def test_a_member_that_stands_still_is_removed(
    client: DynamoDBClient, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it was watched for long enough, not before, and not if it beats; one whose process has ended, at once."""
    _open(client, table)
    monkeypatch.setattr(process_name, "here", lambda: ELSEWHERE)
    still, beating = _member(client, table), _member(client, table)
    monkeypatch.undo()
    now, counted = [0.0], list[int]()
    watching = _member(client, table, clock=lambda: now[0], counted=counted.append)
    gone = _dead()
    monkeypatch.setattr(process_name, "here", lambda: gone)
    _member(client, table)
    monkeypatch.undo()
    watching.beat()
    now[0] = watch.WATCH_SECONDS - 1
    beating.beat()
    watching.beat()
    assert counted == [3, 3, 3]
    assert _members(client, table) == {still.id, beating.id, watching.id}
    now[0] = watch.WATCH_SECONDS
    watching.beat()
    assert counted[-1] == 2
    assert _members(client, table) == {beating.id, watching.id}
    with pytest.raises(CopyTakenError):
        still.beat()


def _dead() -> str:
    """A process of this machine that there is not."""
    host, _, *machine = process_name.here().split("/")
    return "/".join([host, str(2**22 + 1), *machine])


def _members(client: DynamoDBClient, table: str) -> set[str]:
    found = copy_rows.read(client, table)
    assert found is not None
    return set(found.members or {})


def test_a_joining_whose_answer_was_lost(dynamodb: DynamoDBLocal, table: str) -> None:
    """Was one; and a copy that others have finished meanwhile leaves nothing to do."""
    with FaultProxy(dynamodb.endpoint) as proxy:
        client = Clients(task(sourceEndpoint=proxy.endpoint)).checkpoints()
        _open(client, table)
        proxy.inject(faults.drop(after=True), "UpdateItem", times=1)
        member = _member(client, table)
        assert _members(client, table) == {member.id}
        member.beat()
        copy_members.finish(client, table, OPEN)
        assert not CopyMember(lambda: client, table, OPEN, stop=threading.Event(), failed=pytest.fail).join()


@pytest.mark.parametrize("changed", [{"id": "2"}, {"concurrent": False}])
def test_only_what_is_the_same_is_joined(client: DynamoDBClient, table: str, changed: dict[str, Any]) -> None:
    """Neither another copy, nor one that is made in another way."""
    copy_rows.write(client, table, lock.begun_here(msgspec.structs.replace(OPEN, **changed)), before=None)
    with pytest.raises(CopyTakenError):
        _member(client, table)


def test_whoever_finishes_first(client: DynamoDBClient, table: str) -> None:
    """Several machines see the end: the first stores it; a copy that was begun anew is left alone."""
    _open(client, table)
    done = msgspec.structs.replace(OPEN, finished_ms=9, items=3, size_bytes=4)
    copy_members.finish(client, table, done)
    copy_members.finish(client, table, msgspec.structs.replace(done, finished_ms=10))
    found = copy_rows.read(client, table)
    assert found is not None
    assert (found.state, found.finished_ms, found.items, found.size_bytes) == ("done", 9, 3, 4)
    _open(client, table, before=found)
    with pytest.raises(CopyTakenError):
        copy_members.finish(client, table, msgspec.structs.replace(done, id="2"))


def test_of_two_at_once_one_goes_on(client: DynamoDBClient, table: str) -> None:
    """The slower one finds the row changed."""
    with _hold(client, table), pytest.raises(CopyTakenError):
        _hold(client, table)


def test_a_lost_answer_is_no_successor(dynamodb: DynamoDBLocal, table: str) -> None:
    """A beat that was stored, though its answer was lost, is one's own."""
    with FaultProxy(dynamodb.endpoint) as proxy:
        client = Clients(task(sourceEndpoint=proxy.endpoint)).checkpoints()
        held = _hold(client, table)
        proxy.inject(faults.drop(after=True), "PutItem", times=1)
        held.change(export_arn="arn")
        held.change(items=1)
    assert (held.copy.export_arn, held.copy.items) == ("arn", 1)


def test_no_write_without_a_beat(client: DynamoDBClient, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that slept waits for its next beat; a stop ends the waiting."""
    _open(client, table)
    stop = threading.Event()
    member = _member(client, table, stop=stop)
    member.may_write()
    late = time.time() + watch.TERM_SECONDS
    monkeypatch.setattr(watch.time, "time", lambda: late)
    stop.set()
    with pytest.raises(StoppedError):
        member.may_write()
    member.beat()
    member.may_write()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", StalledError),
        ("InternalServerError", StalledError),
        ("ValidationException", RefusedError),
    ],
)
def test_a_copy_that_cannot_beat_ends(
    code: str,
    error: type[Exception],
    dynamodb: DynamoDBLocal,
    table: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Writers that wait for a beat are told when beats have failed for too long, whatever else still works."""
    monkeypatch.setattr(watch, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(watch, "TERM_SECONDS", 0.0)
    limit_commands(monkeypatch, outage_seconds=0.0, denied_seconds=0.0)
    # Else a writer that is never told would wait for ever.
    stop, told = threading.Event(), list[UnavailableError]()
    with FaultProxy(dynamodb.endpoint) as proxy:
        client = Clients(task(sourceEndpoint=proxy.endpoint)).checkpoints()
        _open(client, table)
        member = _member(client, table, stop=stop, failed=told.append)
        proxy.inject(faults.error(code), "UpdateItem")
        limit = threading.Timer(PATIENCE_SECONDS, stop.set)
        limit.start()
        with member, pytest.raises(error, match="UpdateItem on task table"):
            member.may_write()
        limit.cancel()
    assert bool(told) == (error is StalledError)


def test_an_outage_that_ends_in_time_ends_nothing(dynamodb: DynamoDBLocal, table: str) -> None:
    """Two outages are not one long one: a beat between them counts."""
    told: list[UnavailableError] = []
    with FaultProxy(dynamodb.endpoint) as proxy:
        client = Clients(task(sourceEndpoint=proxy.endpoint)).checkpoints()
        _open(client, table)
        member = _member(client, table, failed=told.append)
        now = [0.0]
        member._limit = RetryLimit(COPY_POLICY, clock=lambda: now[0])
        for _ in range(3):
            outage = proxy.inject(faults.error("InternalServerError"), "UpdateItem")
            member.beat()
            outage.clear()
            now[0] += COPY_POLICY.outage_seconds - 1
            member.beat()
    assert len(told) == 3
    member.may_write()


def test_who_is_overtaken_at_the_second_try_knows_it(
    dynamodb: DynamoDBLocal, client: DynamoDBClient, table: str
) -> None:
    """A lost answer, and another process in the moment before it is made good, is a successor."""
    with FaultProxy(dynamodb.endpoint) as proxy:
        through = Clients(task(sourceEndpoint=proxy.endpoint)).checkpoints()
        held = _hold(through, table)

        def overtake(exchange: Exchange, _: Fault) -> None:
            answer = exchange.forward(exchange.body)
            found = copy_rows.read(client, table)
            assert found is not None
            copy_rows.write(client, table, msgspec.structs.replace(found, holder="another"), before=found)
            exchange.reply(answer)

        proxy.inject(faults.drop(after=True), "PutItem", times=1)
        proxy.inject(overtake, "GetItem", times=1)
        with pytest.raises(CopyTakenError):
            held.change(items=1)


def test_a_copy_that_runs_elsewhere_is_seen(
    client: DynamoDBClient, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it beats; one that doesn't is free when it was watched for long enough."""
    said: list[str] = []
    monkeypatch.setattr(watch, "WATCH_SECONDS", 1.0)
    monkeypatch.setattr(watch, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(process_name, "here", lambda: ELSEWHERE)
    with _hold(client, table) as held:
        monkeypatch.undo()
        found = lock.look(lambda: copy_rows.read(client, table), said.append)
        with pytest.raises(NotReadyError, match="being run by process 1 on another-host"):
            lock.insist_free(found)
    left = msgspec.structs.replace(held.copy, holder="dead")
    monkeypatch.setattr(watch, "WATCH_SECONDS", 1.0)
    assert lock.look(lambda: left, said.append) == watch.Found(left)
    assert "whether the copy begun by process 1 on another-host is still running" in said[-1]


def test_members_that_work_are_seen(client: DynamoDBClient, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the beat of any; a copy without members, or with those of ended processes, is free at once."""
    said: list[str] = []

    def look() -> str:
        return lock.look(lambda: copy_rows.read(client, table), said.append).worker

    _open(client, table)
    assert (look(), said) == ("", [])
    gone = _dead()
    monkeypatch.setattr(process_name, "here", lambda: gone)
    dead = _member(client, table)
    monkeypatch.undo()
    assert (look(), said) == ("", [])
    monkeypatch.setattr(watch, "BEAT_SECONDS", 0.05)
    with _member(client, table):
        assert look() == process_name.here()
    assert _members(client, table) <= {dead.id}
    monkeypatch.setattr(watch, "WATCH_SECONDS", 0.5)
    monkeypatch.setattr(process_name, "here", lambda: ELSEWHERE)
    _member(client, table)
    monkeypatch.undo()
    monkeypatch.setattr(watch, "WATCH_SECONDS", 0.5)
    assert look() == ""
    assert "process 1 on another-host" in said[-1]


@pytest.mark.parametrize("process", [f"{socket.gethostname()}/1/other-boot/pid:[1]", "nobody/999999/x/y"])
def test_only_what_can_be_known_is_known(process: str) -> None:
    """A process of another machine, or before the last boot, may be anything."""
    assert not process_name.is_gone(process)


def test_processes_of_this_machine() -> None:
    """One's own is there; one of a number that no process has is gone."""
    assert not process_name.is_gone(process_name.here())
    assert process_name.is_gone(_dead())


class _Working:
    """A member, and its queue."""

    def __init__(self, client: DynamoDBClient, table: str, **more: Any) -> None:
        self.member = _member(client, table, **more)
        self.stop = threading.Event()
        self.queue = WorkQueue(self.member, Retry(AT_ONCE, self.stop, Outage(Log(), "test", note="")))

    def next(self) -> int | None:
        """The number of the next segment."""
        state = self.queue.next()
        return None if state is None else state.number

    def done(self, number: int) -> None:
        """It is copied."""
        self.member.save(SegmentState(number=number, done=True))
        self.queue.finished()


def test_segments_are_taken_one_by_one(client: DynamoDBClient, table: str) -> None:
    """Each by one process only; those of one that was removed, or has left, by another; none when all are done."""
    _open(client, table)
    one, other, late = (_Working(client, table) for _ in range(3))
    taken = [one.next(), other.next(), one.next()]
    assert sorted(number for number in taken if number is not None) == [0, 1, 2]
    one.done(taken[0] or 0)
    copy_rows.ROWS.remove(client, table, OPEN, member=one.member.id, seen_beat=0)
    assert late.next() == taken[2]
    with late.member:
        pass
    assert other.next() == taken[2]
    for number in taken[1:]:
        other.done(number or 0)
    assert other.next() is None
    with pytest.raises(CopyTakenError):
        one.next()


def test_who_finds_nothing_free_waits_until_all_is_done(client: DynamoDBClient, table: str) -> None:
    """For the others may be killed; a stop ends the waiting."""
    _open(client, table)
    one, other = _Working(client, table), _Working(client, table)
    taken = [one.next() for _ in range(OPEN.segments)]
    found: list[int | None] = []
    waiting = threading.Thread(target=lambda: found.append(other.next()))
    waiting.start()
    for number in taken:
        assert not found
        one.done(number or 0)
    waiting.join(PATIENCE_SECONDS)
    assert found == [None]
    _open(client, table, before=copy_rows.read(client, table))
    copy_rows.save(client, table, one.member.work, SegmentState(number=0))
    third = _Working(client, table)
    assert third.next() == 0
    third.stop.set()
    with pytest.raises(StoppedError):
        third.queue.next()


def test_what_may_be_wrong_is_first(client: DynamoDBClient, table: str) -> None:
    """Keys that a killed copy had in hand are brought up to date before anything else."""
    _taken(client, table, COPY)
    copy_rows.save(client, table, COPY, SegmentState(number=2, in_hand=KEYS_IN_HAND))
    _open(client, table)
    assert _Working(client, table).next() == 2


def test_a_taking_whose_answer_was_lost(dynamodb: DynamoDBLocal, client: DynamoDBClient, table: str) -> None:
    """Is one's own at the second try."""
    _open(client, table)
    member = _member(client, table)
    with FaultProxy(dynamodb.endpoint) as proxy:
        through = Clients(task(sourceEndpoint=proxy.endpoint)).checkpoints()
        proxy.inject(faults.drop(after=True), "UpdateItem", times=1)
        assert copy_rows.take(through, table, member.work, 1, seen="").holder == member.id
