"""The rows of a copy on DynamoDB Local, and who may write them."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING

import msgspec
import pytest

from processor.aws.clients import Clients
from processor.commands.copy import command, lock
from processor.commands.copy.lock import CopyLock
from processor.commands.copy.options import CopyOptions
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.errors import CopyTakenError, NotReadyError, RefusedError, StalledError, StoppedError, UnavailableError
from processor.flow.retry_limit import RetryLimit
from processor.flow.retry_policy import COPY as COPY_POLICY
from processor.state import copy_rows
from processor.state import task_row as tasks
from processor.state.copy_rows import CopyState, SegmentState
from tests.conftest import Tables
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Exchange, Fault
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.fakes.policies import limit_commands
from tests.fakes.task.tasks import task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COPY = CopyState(id="1", segments=3, started_ms=5, stream_arn="arn", concurrent=True)
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
    return CopyLock(lambda: client, table, copy, before=before, stop=threading.Event(), failed=pytest.fail)


def test_rows_there_and_back(client: DynamoDBClient, table: str) -> None:
    """What is stored is what is read, keys in hand and starts of binary keys byte for byte."""
    assert copy_rows.read(client, table) is None
    copy_rows.write(client, table, COPY, before=None)
    assert copy_rows.read(client, table) == COPY
    assert copy_rows.claim(client, table, COPY) == [SegmentState(number=number) for number in range(3)]
    keys = [msgspec.Raw(b'{"id":{"B":"/w=="},"n":{"N":"1E+2"}}'), msgspec.Raw('{"id":{"S":"é"}}'.encode())]
    segment = SegmentState(number=1, start=keys[0], items=7, size_bytes=99, in_hand=keys)
    copy_rows.save(client, table, COPY, segment)
    assert copy_rows.read_segments(client, table, COPY) == [segment]
    assert copy_rows.claim(client, table, COPY)[1] == segment


def test_rows_of_an_earlier_copy_say_nothing(client: DynamoDBClient, table: str) -> None:
    """A copy that is begun anew begins at the beginning."""
    copy_rows.claim(client, table, COPY)
    copy_rows.save(client, table, COPY, SegmentState(number=0, done=True))
    anew = msgspec.structs.replace(COPY, id="2")
    assert copy_rows.read_segments(client, table, anew) == []
    assert not copy_rows.claim(client, table, anew)[0].done


KEYS_IN_HAND = [msgspec.Raw(b'{"id":{"S":"a"}}')]


def test_what_an_earlier_copy_had_in_hand_is_looked_after(client: DynamoDBClient, table: str) -> None:
    """By whatever copy comes next, until it stores a state of its own; and where it has fewer segments, too."""
    copy_rows.claim(client, table, COPY)
    for number in (1, 2):
        copy_rows.save(client, table, COPY, SegmentState(number=number, items=7, in_hand=KEYS_IN_HAND))
    anew = msgspec.structs.replace(COPY, id="2", segments=2, concurrent=False)
    left = [
        SegmentState(number=0),
        SegmentState(number=1, in_hand=KEYS_IN_HAND),
        SegmentState(number=2, in_hand=KEYS_IN_HAND, done=True),
    ]
    assert copy_rows.claim(client, table, anew) == left
    assert copy_rows.claim(client, table, anew) == left
    for segment in left[1:]:
        copy_rows.save(client, table, anew, msgspec.structs.replace(segment, in_hand=[]))
    assert copy_rows.read_in_hand(client, table) == []
    assert copy_rows.claim(client, table, anew) == [SegmentState(number=0), SegmentState(number=1)]
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
    copy_rows.claim(client, settings.task_table, COPY)
    copy_rows.save(client, settings.task_table, COPY, SegmentState(number=1, in_hand=KEYS_IN_HAND))
    with pytest.raises(NotReadyError, match="stopped with 1 keys in hand"):
        command.run(settings, CopyOptions(forget=True))
    copy_rows.save(client, settings.task_table, COPY, SegmentState(number=1))
    assert command.run(settings, CopyOptions(forget=True)) == 0
    assert copy_rows.read(client, settings.task_table) is None
    assert "The copy is forgotten" in capsys.readouterr().err


def test_a_task_without_a_table_has_no_copy(client: DynamoDBClient) -> None:
    """It was never started."""
    assert copy_rows.read(client, "no-such-table") is None


def test_a_row_that_is_not_ours(client: DynamoDBClient, table: str) -> None:
    """It is said, with the table's name."""
    client.put_item(TableName=table, Item={"name": {"S": "copy"}, "state": {"S": "paused"}})
    with pytest.raises(UnavailableError, match=f"{table} holds a row 'copy' that is not ours"):
        copy_rows.read(client, table)


def test_who_was_overtaken_writes_nothing_more(client: DynamoDBClient, table: str) -> None:
    """Neither rows nor items, and it doesn't stop the one who goes on."""
    with _hold(client, table) as first:
        copy_rows.claim(client, table, first.copy)
        second = _hold(client, table, before=copy_rows.read(client, table))
        with second:
            copy_rows.claim(client, table, second.copy)
            with pytest.raises(CopyTakenError):
                first.save(SegmentState(number=0))
            second.save(SegmentState(number=0, items=1))
            until(lambda: _is_taken(first), "the first one to know")
            second.may_write()
    found = copy_rows.read(client, table)
    assert found is not None
    assert (found.state, found.holder) == ("running", "")


def _is_taken(held: CopyLock) -> bool:
    try:
        held.may_write()
    except CopyTakenError:
        return True
    return False


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
    stop = threading.Event()
    held = CopyLock(lambda: client, table, COPY, before=None, stop=stop, failed=pytest.fail)
    held.may_write()
    late = time.time() + lock.TERM_SECONDS
    monkeypatch.setattr(lock.time, "time", lambda: late)
    stop.set()
    with pytest.raises(StoppedError):
        held.may_write()
    held.change()
    held.may_write()


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
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(lock, "TERM_SECONDS", 0.0)
    limit_commands(monkeypatch, outage_seconds=0.0, denied_seconds=0.0)
    # Else a writer that is never told would wait for ever.
    stop, told = threading.Event(), list[UnavailableError]()
    with FaultProxy(dynamodb.endpoint) as proxy:
        client = Clients(task(sourceEndpoint=proxy.endpoint)).checkpoints()
        held = CopyLock(lambda: client, table, COPY, before=None, stop=stop, failed=told.append)
        proxy.inject(faults.error(code), "PutItem")
        limit = threading.Timer(PATIENCE_SECONDS, stop.set)
        limit.start()
        with held, pytest.raises(error, match="PutItem on task table"):
            held.may_write()
        limit.cancel()
    assert bool(told) == (error is StalledError)


def test_an_outage_that_ends_in_time_ends_nothing(dynamodb: DynamoDBLocal, table: str) -> None:
    """Two outages are not one long one: a beat between them counts."""
    told: list[UnavailableError] = []
    with FaultProxy(dynamodb.endpoint) as proxy:
        client = Clients(task(sourceEndpoint=proxy.endpoint)).checkpoints()
        held = CopyLock(lambda: client, table, COPY, before=None, stop=threading.Event(), failed=told.append)
        now = [0.0]
        held._limit = RetryLimit(COPY_POLICY, clock=lambda: now[0])
        for _ in range(3):
            outage = proxy.inject(faults.error("InternalServerError"), "PutItem")
            held._beat_once()
            outage.clear()
            now[0] += COPY_POLICY.outage_seconds - 1
            held._beat_once()
    assert len(told) == 3
    held.may_write()


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
    assert _is_taken(held)


def test_a_copy_that_runs_elsewhere_is_left_alone(
    client: DynamoDBClient, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it beats; one that doesn't is taken over when it was watched for long enough."""
    said: list[str] = []
    monkeypatch.setattr(lock, "WATCH_SECONDS", 1.0)
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(lock, "here", lambda: ELSEWHERE)
    with _hold(client, table) as held:
        monkeypatch.undo()
        with pytest.raises(NotReadyError, match="being run by process 1 on another-host"):
            lock.wait_until_free(lambda: copy_rows.read(client, table), said.append)
    left = msgspec.structs.replace(held.copy, holder="dead")
    monkeypatch.setattr(lock, "WATCH_SECONDS", 1.0)
    assert lock.wait_until_free(lambda: left, said.append) == left
    assert "whether the copy begun by process 1 on another-host is still running" in said[-1]


@pytest.mark.parametrize("process", [f"{socket.gethostname()}/1/other-boot/pid:[1]", "nobody/999999/x/y"])
def test_only_what_can_be_known_is_known(process: str) -> None:
    """A process of another machine, or before the last boot, may be anything."""
    assert not lock.is_gone(process)


def test_processes_of_this_machine() -> None:
    """One's own is there; one of a number that no process has is gone."""
    host, _, *machine = lock.here().split("/")
    assert not lock.is_gone(lock.here())
    assert lock.is_gone("/".join([host, str(2**22 + 1), *machine]))
