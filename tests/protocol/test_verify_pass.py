"""A verification that machines share: who joins which, what each reports, and what stays of it."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from processor.aws.clients import Clients
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.verify import command
from processor.commands.verify.report import Found, PathDifference, VerifyReport
from processor.commands.verify.shared import found, opening
from processor.commands.verify.shared.pass_member import PassMember
from processor.errors import NotReadyError, UnavailableError, UsageError, VerifyTakenError
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.rate_limiter import Capacity
from processor.flow.retry import Retry
from processor.reporting.logs import Log
from processor.state import pass_rows, verification_row
from processor.state.pass_rows import PartRow, PassState
from processor.state.sharing import watch
from tests.conftest import Tables
from tests.fakes.dynamodb.recorded_table import ELSEWHERE, RecordedTable
from tests.fakes.machine.as_process import as_process
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.task.tasks import task
from tests.protocol.conftest import item
from tests.protocol.test_shared_verify import VIEW, fill
from tests.protocol.test_verify import Pair

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ITEMS = 120


@pytest.fixture
def pair(tables: Tables, dynamodb: DynamoDBLocal, capsys: pytest.CaptureFixture[str]) -> Iterator[Pair]:
    """With the string key ``id``, and a task of its own."""
    with as_process():
        made = Pair(tables, dynamodb.endpoint, capsys)
        made.settings["taskName"] = f"pass-{uuid.uuid4().hex}"
        yield made


def _rows(endpoint: str, name: str) -> list[dict[str, Any]]:
    """All that is in a task's table."""
    settings = task(sourceEndpoint=endpoint, taskName=name)
    return Clients(settings).checkpoints().scan(TableName=settings.task_table)["Items"]


def _report(pair: Pair, file: Path, **options: Any) -> tuple[int, dict[str, Any], list[str]]:
    """Exit status, report and output, with keys in order."""
    status, report = pair.verify(output=file, show=ITEMS, **options)
    report["keys"].sort(key=lambda each: each["key"]["id"]["S"])
    return status, report, sorted(file.read_text().splitlines())


@pytest.mark.parametrize(
    ("processes", "settings", "options"),
    [
        ("1", {}, {"recheck": 0, "expired": True}),
        ("2", {}, {}),
        ("2", {"applyThreads": "1"}, {"repair": True, "dry_run": True, "delete_extra": True}),
        ("1", {"ttlDeletes": "ignore"}, {"expired": True}),
        ("1", VIEW, {"recheck": 0}),
        ("2", {"writeMode": "fenced"}, {}),
    ],
)
def test_the_report_is_that_of_one_machine(
    processes: str, settings: dict[str, str], options: dict[str, Any], proxied: Pair, tmp_path: Path
) -> None:
    """Line by line, exit status included; a repair writes the same; and nothing is left of it."""
    proxied.settings |= settings
    fill(proxied, seed=len(str((settings, options))))
    file = tmp_path / "found.jsonl"
    alone = _report(proxied, file, **options)
    assert alone[1]["keys"]
    proxied.settings["verifyProcesses"] = processes
    assert _report(proxied, file, shared=True, **options) == alone
    if "expired" not in options:
        repaired = _report(proxied, file, shared=True, repair=True, delete_extra=True)
        assert (repaired[0], repaired[1]["repaired"]) == (0, len(repaired[1]["keys"]))
        assert _report(proxied, file)[0] == 0
    assert _rows(proxied.settings["sourceEndpoint"], proxied.settings["taskName"]) == []


@pytest.mark.parametrize("options", [{"share": 0.5}, {"values": True}])
def test_what_can_not_be_shared(pair: Pair, options: dict[str, Any]) -> None:
    """Is refused in words, before anything is read."""
    with pytest.raises(UsageError, match="without --shared"):
        pair.verify(shared=True, **options)


def test_a_failure_leaves_nothing_behind(pair: Pair, dynamodb: DynamoDBLocal) -> None:
    """It is the command's, and the report says that it is not complete."""
    pair.fill(1)
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings |= {"destinationEndpoint": proxy.endpoint}
        proxy.inject(faults.error("AccessDeniedException"), "Scan")
        with pytest.raises(UnavailableError, match="Scan"):
            pair.verify(shared=True)
    assert not pair.report()["complete"]
    assert _rows(dynamodb.endpoint, pair.settings["taskName"]) == []


def test_tables_whose_segments_hold_other_keys(pair: Pair, dynamodb: DynamoDBLocal) -> None:
    """Each item would be read by itself: it says so instead."""
    with RecordedTable(items=200_000) as server:
        pair.settings |= {
            "sourceTable": "recorded-1",
            "sourceEndpoint": server.endpoint,
            "destinationTable": ELSEWHERE,
            "destinationEndpoint": server.endpoint,
            "kclEndpoint": dynamodb.endpoint,
        }
        with pytest.raises(NotReadyError, match="do not hold the same keys"):
            pair.verify(shared=True)


# --- Who joins which -----------------------------------------------------------------------------------------------

NEW = PassState(id="new", parts=3, terms={"--repair": "False"})


@pytest.fixture
def client(dynamodb: DynamoDBLocal) -> DynamoDBClient:
    """Of a task whose tables are there."""
    return Clients(task(sourceEndpoint=dynamodb.endpoint)).checkpoints()


@pytest.fixture
def table(tables: Tables) -> str:
    """A task table."""
    return tables.create("name:S")


def _join(client: DynamoDBClient, table: str, said: list[str], **changes: Any) -> PassMember:
    stop = threading.Event()
    return opening.join(
        lambda: client,
        table,
        msgspec.structs.replace(NEW, **changes),
        stop=stop,
        retry=Retry(retry_policy.COMMAND, stop, Outage(Log(), "", note="")),
        failed=pytest.fail,
        say=said.append,
    )


def test_who_joins_and_who_begins_anew(client: DynamoDBClient, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One under way is joined, on the same terms only; one that ended, or was given up, is not, and is swept away."""
    monkeypatch.setattr(watch, "BEAT_SECONDS", 0.02)
    said = list[str]()
    with _join(client, table, said, id="first") as first:
        assert first.take(0, seen="") == 0
        with _join(client, table, said, id="second") as second:
            assert second.work.id == "first"
            assert "Joining this task's shared verification, which process" in said[-1]
            assert second.take(0, seen="") is None
        with pytest.raises(NotReadyError, match="not the same are --repair"):
            _join(client, table, said, id="third", terms={"--repair": "True"})
    assert pass_rows.read(client, table) is None
    assert pass_rows.read_parts(client, table) == []
    given_up = _join(client, table, said, id="given up")
    given_up.take(1, seen="")
    monkeypatch.setattr(watch, "WATCH_SECONDS", 0.1)
    with _join(client, table, said, id="anew") as anew:
        assert anew.work.id == "anew"
        assert pass_rows.read_parts(client, table) == []
        with pytest.raises(VerifyTakenError):
            given_up.save(PartRow(number=1, holder="", pass_id="given up", found=b""))
        with pytest.raises(VerifyTakenError):
            given_up.beat()


def test_a_limit_is_of_all_that_compare(client: DynamoDBClient, table: str) -> None:
    """Each process counts those that are at it, not those that only wait for them."""
    waiting = _join(client, table, [], id="one")
    counted: list[int] = []

    def worker() -> PassMember:
        stop = threading.Event()
        return PassMember(lambda: client, table, waiting.work, stop=stop, failed=pytest.fail, counted=counted.append)

    first, second = worker(), worker()
    first.join()
    second.join()
    first.beat()
    assert counted == [1, 2, 2]


def test_a_limit_is_shared_from_the_start(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the processes of this machine before the others have joined; of both tables."""
    shares: list[tuple[float | None, int]] = []

    def share(capacity: Capacity, processes: int) -> None:
        shares.append((capacity.units_per_second, processes))

    monkeypatch.setattr(Capacity, "share", share)
    pair.put(item("a"))
    pair.settings |= {"verifyReadUnits": "900", "verifyProcesses": "1"}
    assert pair.verify(shared=True)[0] == 0
    assert shares[:2] == [(900.0, 1), (900.0, 1)]


def test_it_is_verified_through_its_begin(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is the first machine's: whoever joins later reports the same comparison."""
    late_ms = int(time.time() * 1000) + 3_600_000
    monkeypatch.setattr(command, "_now_ms", lambda: late_ms)
    pair.put(item("a"))
    pair.settings |= {"verifyEvery": "24h", "verifyProcesses": "1"}
    assert pair.verify(shared=True)[0] == 0
    settings = task(**pair.settings)
    kept = verification_row.read(Clients(settings).checkpoints(), settings.task_table)
    assert kept is not None
    assert kept.last is not None
    assert (kept.last.through_ms < late_ms, kept.last.ended_ms) == (True, late_ms)


def test_what_is_done_is_not_done_again(client: DynamoDBClient, table: str) -> None:
    """Whoever was seen to hold a part may have finished it, and left, in the moment before it is taken."""
    said = list[str]()
    first = _join(client, table, said, id="one")
    first.take(2, seen="")
    with PassMember(lambda: client, table, first.work, stop=threading.Event(), failed=pytest.fail) as second:
        second.join()
        assert set(second.standing().free({second.id})) == {(0, ""), (1, ""), (2, first.id)}
        first.save(PartRow(number=2, holder="", pass_id="one", items=4, found=b"report"))
        assert second.take(2, seen=first.id) is None
        assert second.standing().left.keys() == {0, 1}
        (row,) = second.rows()
        assert (row.number, row.items, row.found) == (2, 4, b"report")


def test_a_part_that_an_earlier_pass_has_left(client: DynamoDBClient, table: str) -> None:
    """Is the new one's as soon as it is taken, and is not swept away with what else is left."""
    said = list[str]()
    old = _join(client, table, said, id="old")
    old.take(0, seen="")
    old.save(PartRow(number=0, holder="", pass_id="old", found=b"old"))
    (left,) = pass_rows.read_parts(client, table)
    under_way = msgspec.structs.replace(NEW, id="new", holder="somebody")
    pass_rows.take(client, table, under_way, 0, seen=old.id)
    pass_rows.sweep(client, table, [left])
    (row,) = pass_rows.read_parts(client, table)
    assert row == PartRow(number=0, holder="somebody", pass_id="new")


def test_a_report_fits_its_row() -> None:
    """All counts, and the first of the keys; what can't be read says so."""
    paths = [PathDifference(path=f"a[{number}]", kind="different") for number in range(1000)]
    keys = [
        Found(outcome="different", key=msgspec.Raw(b'{"id":{"S":"%d"}}' % number), paths=paths)
        for number in range(1000)
    ]
    report = VerifyReport(different=1000, keys=keys)
    made = found.unpacked(found.packed(report, parts=2000))
    assert (made.different, len(made.keys)) == (1000, 2)
    made = found.unpacked(found.packed(report, parts=16))
    assert made.different == 1000
    assert 0 < len(made.keys) <= found.MOST_KEYS
    assert bytes(made.keys[0].key) == b'{"id":{"S":"0"}}'
    assert len(json.dumps(msgspec.to_builtins(made.keys[0].paths))) < found.MOST_BYTES
    with pytest.raises(UnavailableError, match="not ours"):
        found.unpacked(b"something")


def test_a_change_of_one_item_is_found(pair: Pair) -> None:
    """In the part that has it; the others' items are not read again."""
    pair.fill(ITEMS)
    pair.tables.put(pair.destination, item("0007", n={"N": "0"}))
    status, report = pair.verify(shared=True)
    assert (status, report["equal"], report["different"]) == (1, ITEMS - 1, 1)
    assert [each["key"]["id"]["S"] for each in report["keys"]] == ["0007"]
