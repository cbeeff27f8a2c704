"""Two tables of DynamoDB Local compared, and made equal."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.verify import command
from processor.commands.verify.options import VerifyOptions
from processor.errors import CredentialsError, NotReadyError, StalledError, UsageError
from processor.settings import attribute_paths
from processor.settings.settings import Settings
from tests.conftest import REGION, Tables
from tests.fakes.dynamodb.time_to_live import answer_ttl
from tests.fakes.machine.as_process import as_process
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Fault
from tests.fakes.patience import until
from tests.fakes.policies import limit_commands
from tests.fakes.streams.stream_record import Item
from tests.fakes.task.tasks import task
from tests.protocol.conftest import item


def _no_pause(_: int) -> float:
    return 0.0


class Pair:
    """Two tables, and verifications of them."""

    def __init__(self, tables: Tables, endpoint: str, capsys: pytest.CaptureFixture[str], *key: str) -> None:
        self.tables = tables
        self.source, self.destination = tables.create(*key), tables.create(*key)
        self.pause: Callable[[int], float] = _no_pause
        self.settings = {
            "sourceRegion": REGION,
            "sourceTable": self.source,
            "sourceEndpoint": endpoint,
            "destinationRegion": REGION,
            "destinationTable": self.destination,
            "destinationEndpoint": endpoint,
            "verifyProcesses": "1",
        }
        self._capsys = capsys

    def put(self, made: Item, *, other: Item | None = None) -> None:
        """At both, or ``other`` at the destination."""
        self.tables.put(self.source, made)
        self.tables.put(self.destination, other or made)

    def fill(self, count: int) -> None:
        """Equal items."""
        for table in (self.source, self.destination):
            self.put_many(table, [item(f"{number:04}", n={"N": str(number)}) for number in range(count)])

    def put_many(self, table: str, made: list[Item]) -> None:
        """In one table."""
        for first in range(0, len(made), 25):
            requests = [{"PutRequest": {"Item": each}} for each in made[first : first + 25]]
            self.tables.call("BatchWriteItem", RequestItems={table: requests})

    def delete(self, table: str, key: Item) -> None:
        """One item."""
        self.tables.call("DeleteItem", TableName=table, Key=key)

    def verify(self, **options: Any) -> tuple[int, dict[str, Any]]:
        """Exit status and report."""
        status = command.run(self._task(), VerifyOptions(**{"as_json": True, "recheck": 1} | options), pause=self.pause)
        return status, self.report()

    def report(self) -> dict[str, Any]:
        """The last one's."""
        found: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return found

    def nothing_shown(self) -> bool:
        """On standard output."""
        return self._capsys.readouterr().out == ""

    def shown(self, **options: Any) -> str:
        """The report for people."""
        command.run(self._task(), VerifyOptions(recheck=0, **options), pause=self.pause)
        return self._capsys.readouterr().out

    def _task(self) -> Settings:
        return task(**self.settings)


@pytest.fixture(autouse=True)
def _process() -> Iterator[None]:
    with as_process():
        yield


MakePair = Callable[..., Pair]


@pytest.fixture
def make_pair(tables: Tables, dynamodb: DynamoDBLocal, capsys: pytest.CaptureFixture[str]) -> MakePair:
    """Pairs of tables with a key."""
    return lambda *key: Pair(tables, dynamodb.endpoint, capsys, *key)


@pytest.fixture
def pair(make_pair: MakePair) -> Pair:
    """With the string key ``id``."""
    return make_pair()


def _counts(report: dict[str, Any]) -> tuple[int, ...]:
    return tuple(report[name] for name in ("equal", "missing", "extra", "different", "changing", "repaired"))


def _keys(report: dict[str, Any]) -> dict[str, str]:
    return {found["key"]["id"]["S"]: found["outcome"] for found in report["keys"]}


def _plant(pair: Pair) -> None:
    """One difference of each kind among 100 equal items."""
    pair.fill(100)
    pair.tables.put(pair.source, item("missing", secret={"S": "hidden"}))
    pair.tables.put(pair.destination, item("extra"))
    lines = {"L": [{"N": "1"}, {"M": {"price": {"N": "10"}, "name": {"S": "hidden"}}}]}
    other = {"L": [{"N": "1.0"}, {"M": {"price": {"N": "20"}, "more": {"NULL": True}}}]}
    pair.put(item("different", lines=lines), other=item("different", lines=other))


def test_equal_tables(pair: Pair) -> None:
    """Many items, other notations, other orders, and the fence attribute are equal; so are two empty tables."""
    status, report = pair.verify()
    assert (status, report["complete"], _counts(report)) == (0, True, (0, 0, 0, 0, 0, 0))
    pair.fill(100)
    pair.put(
        item("x", n={"N": "1.50"}, s={"NS": ["1", "20"]}),
        other=item("x", s={"NS": ["2E1", "1.0"]}, n={"N": "15E-1"}, _replicatedSequenceNumber={"S": "1"}),
    )
    status, report = pair.verify()
    assert (status, _counts(report)) == (0, (101, 0, 0, 0, 0, 0))
    assert (report["complete"], report["sourceItems"], report["destinationItems"]) == (True, 101, 101)


@pytest.mark.parametrize("recheck", [0, 2])
def test_each_kind_of_difference(recheck: int, pair: Pair, tmp_path: Path) -> None:
    """Each is found once and named with its paths, without an item's contents, in the report and in the file."""
    _plant(pair)
    file = tmp_path / "found.jsonl"
    file.touch(mode=0o644)
    status, report = pair.verify(recheck=recheck, output=file)
    assert (status, _counts(report)) == (1, (100, 1, 1, 1, 0, 0))
    assert _keys(report) == {"missing": "missing", "extra": "extra", "different": "different"}
    (places,) = [found["paths"] for found in report["keys"] if found["outcome"] == "different"]
    assert places == [
        {"path": "lines[1].more", "kind": "extra"},
        {"path": "lines[1].name", "kind": "missing"},
        {"path": "lines[1].price", "kind": "different"},
    ]
    assert [json.loads(line) for line in file.read_text().splitlines()] == report["keys"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "hidden" not in json.dumps(report)


def test_values_are_shown_on_demand(pair: Pair) -> None:
    """Then both sides' are there; and no more keys than asked for are named."""
    _plant(pair)
    _, report = pair.verify(values=True)
    (places,) = [found["paths"] for found in report["keys"] if found["outcome"] == "different"]
    assert places[2] == {
        "path": "lines[1].price",
        "kind": "different",
        "source": {"N": "10"},
        "destination": {"N": "20"},
    }
    assert len(pair.verify(show=2)[1]["keys"]) == 2


def test_the_report_for_people(pair: Pair) -> None:
    """Counts, keys, paths, and what is left out."""
    _plant(pair)
    text = pair.shown(show=3)
    for words in ("100", 'different  {"id":{"S":"different"}}', "lines[1].price different", 'missing    {"id"'):
        assert words in text
    assert "hidden" not in text
    assert 'lines[1].name missing: source {"S":"hidden"}' in pair.shown(values=True)
    assert "and 2 more keys" in pair.shown(show=1)
    assert 'extra      {"id":{"S":"extra"}}: would delete it' in pair.shown(
        repair=True, dry_run=True, delete_extra=True
    )
    assert 'extra      {"id":{"S":"extra"}}: left alone' in pair.shown(repair=True, dry_run=True)
    text = pair.shown(repair=True, delete_extra=True)
    assert 'missing    {"id":{"S":"missing"}}: repaired' in text
    assert "of those three, repaired" in text


def test_ignored_paths(pair: Pair) -> None:
    """What differs only there is equal; another place still counts; a key can't be ignored."""
    _plant(pair)
    ignore = tuple(attribute_paths.parse("lines[1].price,lines[1].more"))
    _, report = pair.verify(ignore=ignore)
    (places,) = [found["paths"] for found in report["keys"] if found["outcome"] == "different"]
    assert places == [{"path": "lines[1].name", "kind": "missing"}]
    _, report = pair.verify(ignore=(*ignore, *attribute_paths.parse("lines[1].name")))
    assert _counts(report) == (101, 1, 1, 0, 0, 0)
    with pytest.raises(UsageError, match="--ignore id: id is of the key"):
        pair.verify(ignore=tuple(attribute_paths.parse("id")))


@pytest.mark.parametrize("mode", ["batch", "fenced"])
def test_repair(mode: str, pair: Pair) -> None:
    """It does what the dry run said; then the tables are equal, and there is nothing more to do."""
    pair.settings["writeMode"] = mode
    _plant(pair)
    before = pair.tables.items(pair.destination)
    status, report = pair.verify(repair=True, dry_run=True, delete_extra=True)
    assert (status, _counts(report)) == (1, (100, 1, 1, 1, 0, 0))
    writes = {found["key"]["id"]["S"]: found["repair"] for found in report["keys"]}
    assert {name: (each["write"], each["done"]) for name, each in writes.items()} == {
        "missing": ("put", None),
        "extra": ("delete", None),
        "different": ("put", None),
    }
    assert before == pair.tables.items(pair.destination)
    status, report = pair.verify(repair=True, delete_extra=True)
    assert (status, _counts(report)) == (0, (100, 1, 1, 1, 0, 3))
    status, report = pair.verify(repair=True)
    assert (status, _counts(report)) == (0, (102, 0, 0, 0, 0, 0))
    if mode == "batch":
        assert pair.tables.items(pair.source) == pair.tables.items(pair.destination)


def test_repair_deletes_nothing_by_itself(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    """What only the destination has may be somebody else's: it stays, a difference; both tables are named first."""
    _plant(pair)
    status = command.run(task(**pair.settings), VerifyOptions(recheck=0, repair=True, as_json=True), pause=pair.pause)
    out, errors = capsys.readouterr()
    report = json.loads(out)
    assert (status, _counts(report)) == (1, (100, 1, 1, 1, 0, 2))
    assert [found["outcome"] for found in report["keys"] if "repair" not in found] == ["extra"]
    assert item("extra") in pair.tables.items(pair.destination)
    for table in (pair.source, pair.destination):
        assert f":table/{table}" in errors
    assert "account 000000000000" in errors
    assert "whoever wrote it" not in errors
    pair.verify(repair=True, delete_extra=True)
    assert pair.tables.items(pair.source) == pair.tables.items(pair.destination)


def test_a_fenced_repair_keeps_the_number(pair: Pair) -> None:
    """The item's own, so that whatever the stream brings after it is still newer; an item without one gets 0."""
    pair.settings["writeMode"] = "fenced"
    number = {"S": "7".zfill(40)}
    pair.put(item("numbered", a={"S": "1"}), other=item("numbered", a={"S": "2"}, _replicatedSequenceNumber=number))
    pair.put(item("without", a={"S": "1"}), other=item("without", a={"S": "2"}))
    assert pair.verify(repair=True)[0] == 0
    repaired = {each["id"]["S"]: each for each in pair.tables.items(pair.destination)}
    assert repaired == {
        "numbered": item("numbered", a={"S": "1"}, _replicatedSequenceNumber=number),
        "without": item("without", a={"S": "1"}, _replicatedSequenceNumber={"S": "0" * 40}),
    }


def test_a_change_during_a_repair_wins(pair: Pair, dynamodb: DynamoDBLocal) -> None:
    """What the source becomes between a repair's read and its write, and has replicated by then, stays."""
    pair.put(item("x", version={"N": "1"}), other=item("x", version={"N": "0"}))
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings["destinationEndpoint"] = proxy.endpoint
        held = proxy.inject(faults.hold(), "PutItem", times=1)

        def change() -> None:
            held.wait()
            pair.put(item("x", version={"N": "2"}))
            held.clear()

        changer = threading.Thread(target=change)
        changer.start()
        status, report = pair.verify(repair=True)
        changer.join()
    assert (status, report["repaired"]) == (0, 1)
    assert pair.tables.items(pair.destination) == [item("x", version={"N": "2"})]


def test_a_repair_that_is_refused(make_pair: MakePair, dynamodb: DynamoDBLocal) -> None:
    """The key stays different, with the reason; the others are repaired."""
    pair = make_pair()
    _plant(pair)
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings["destinationEndpoint"] = proxy.endpoint
        refused = faults.error("ValidationException")
        proxy.inject(refused, "PutItem", when=lambda exchange: b'"missing"' in exchange.body)
        status, report = pair.verify(repair=True, delete_extra=True)
    assert (status, report["repaired"]) == (1, 2)
    (reason,) = [found["repair"]["reason"] for found in report["keys"] if not found["repair"]["done"]]
    assert "PutItem" in reason
    assert "ValidationException" in reason


class Writer:
    """Changes keys of the source all the while, and replicates each change."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._stop = threading.Event()
        self.rounds = 0
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Writer:  # noqa: PYI034  # Self came with Python 3.11
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def pause(self, _: int) -> float:
        """Until all that had begun before it is replicated: as long as replication lags, and no longer."""
        before = self.rounds
        until(lambda: self.rounds >= before + 2, "two rounds")
        return 0.0

    def _write(self) -> None:
        pair = self._pair
        while not self._stop.is_set():
            for number in range(4):
                pair.put(item(f"{number:04}", n={"N": f"{self.rounds}.5"}))
            pair.tables.put(pair.source, item("now and then"))
            pair.tables.put(pair.destination, item("now and then"))
            pair.delete(pair.source, item("now and then"))
            pair.delete(pair.destination, item("now and then"))
            self.rounds += 1


def test_a_live_writer_makes_no_difference(pair: Pair) -> None:
    """What only lags behind is never counted as a difference; what really differs is found beside it."""
    pair.fill(100)
    pair.put(item("different", a={"S": "1"}), other=item("different", a={"S": "2"}))
    with Writer(pair) as writer:
        pair.pause = writer.pause
        for _ in range(3):
            status, report = pair.verify(recheck=2)
            assert (status, _keys(report)) == (1, {"different": "different"})


def test_a_key_that_changes_at_each_look(pair: Pair) -> None:
    """It is counted as such, neither equal nor different, and said; the tables are not called different for it."""
    pair.fill(10)
    pair.put(item("x", n={"N": "0"}), other=item("x", n={"N": "100"}))

    def change(number: int) -> float:
        pair.tables.put(pair.source, item("x", n={"N": str(number)}))
        return 0.0

    pair.pause = change
    status, report = pair.verify(recheck=2)
    assert (status, _counts(report)) == (0, (10, 0, 0, 0, 1, 0))


def test_a_key_that_is_deleted_meanwhile_counts_once(pair: Pair) -> None:
    """As an item different when the source was scanned, and extra when the destination was."""
    pair.fill(10)
    pair.put(item("x", n={"N": "0"}), other=item("x", n={"N": "1"}))

    def delete(_: int) -> float:
        pair.delete(pair.source, item("x"))
        return 0.0

    pair.pause = delete
    status, report = pair.verify(recheck=2)
    assert (status, _counts(report)) == (1, (10, 0, 1, 0, 0, 0))


def test_what_is_replicated_during_the_pauses_is_equal(pair: Pair) -> None:
    """A destination that only lags behind."""
    _plant(pair)

    def replicate(number: int) -> float:
        if number == 2:
            pair.delete(pair.destination, item("extra"))
            for made in pair.tables.items(pair.source)[-2:]:
                pair.tables.put(pair.destination, made)
        return 0.0

    pair.pause = replicate
    status, report = pair.verify(recheck=2)
    assert (status, _counts(report)) == (0, (102, 0, 0, 0, 0, 0))


def test_a_sample(pair: Pair) -> None:
    """About so many items of each table are read, and what differs among them is found."""
    pair.fill(400)
    status, report = pair.verify(share=0.25)
    assert (status, report["samplePercent"]) == (0, 25.0)
    assert 20 < report["sourceItems"] < 250
    assert (report["equal"], report["complete"]) == (report["sourceItems"], True)
    pair.put_many(pair.source, [item(f"{number:04}", n={"N": "0.5"}) for number in range(400)])
    pair.put_many(pair.destination, [item(f"extra {number:04}") for number in range(400)])
    status, report = pair.verify(share=0.25)
    assert (status, report["equal"], report["different"]) == (1, 0, report["sourceItems"])
    assert 20 < report["extra"] < 250
    assert pair.verify(share=1.0)[1]["different"] == 400


def test_tables_of_another_key(make_pair: MakePair, tables: Tables) -> None:
    """Numbers and binaries as key, with equal keys in different words; a pair whose keys are not alike is refused."""
    pair = make_pair("number:N", "data:B")
    for number in range(30):
        made = {"number": {"N": f"{number}.0"}, "data": {"B": "/w=="}}
        pair.put(made, other=made | ({} if number else {"more": {"BOOL": True}}))
    status, report = pair.verify()
    assert (status, _counts(report)) == (1, (29, 0, 0, 1, 0, 0))
    pair.settings["destinationTable"] = tables.create()
    with pytest.raises(NotReadyError):
        pair.verify()


def test_throttling_is_waited_for(pair: Pair, dynamodb: DynamoDBLocal) -> None:
    """Calls that fail for a while are made again, each by itself."""
    _plant(pair)
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings["destinationEndpoint"] = proxy.endpoint
        for operation in ("Scan", "BatchGetItem"):
            proxy.inject(faults.error("ProvisionedThroughputExceededException"), operation, times=8)
        status, report = pair.verify()
    assert (status, _counts(report)) == (1, (100, 1, 1, 1, 0, 0))


@pytest.mark.parametrize("operation", ["Scan", "BatchGetItem"])
def test_an_outage(operation: str, pair: Pair, dynamodb: DynamoDBLocal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lasts longer than a day ends it with 5; the report says that it is not complete."""
    limit_commands(monkeypatch, outage_seconds=0.1)
    _plant(pair)
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings["destinationEndpoint"] = proxy.endpoint
        proxy.inject(faults.error("InternalServerError"), operation)
        with pytest.raises(StalledError) as caught:
            pair.verify()
    assert caught.value.exit_status == 5
    assert operation in str(caught.value)
    assert not pair.report()["complete"]


@pytest.mark.parametrize("side", ["source", "destination"])
@pytest.mark.parametrize("recheck", [0, 1])
@pytest.mark.parametrize("first", [0, 1], ids=["the first look", "the next one"])
def test_one_answer_without_items_hides_nothing(
    first: int, recheck: int, side: str, pair: Pair, dynamodb: DynamoDBLocal
) -> None:
    """A key that a table's scan has found is not taken for gone because one answer of BatchGetItem lacks it."""
    _plant(pair)
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings[f"{side}Endpoint"] = proxy.endpoint
        nothing = faults.answer({"Responses": {getattr(pair, side): []}, "UnprocessedKeys": {}})
        fault = proxy.inject(nothing, "BatchGetItem", when=lambda _: proxy.received["BatchGetItem"] > first, times=1)
        status, report = pair.verify(recheck=recheck)
    assert fault.met == 1
    assert (status, _counts(report)) == (1, (100, 1, 1, 1, 0, 0))


@pytest.mark.parametrize("code", ["InternalServerError", "ExpiredTokenException", "AccessDeniedException"])
def test_what_passes_ends_nothing(code: str, pair: Pair, dynamodb: DynamoDBLocal) -> None:
    """An outage, credentials that are renewed, a policy that is changed by mistake and back: it goes on by itself."""
    _plant(pair)
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings["destinationEndpoint"] = proxy.endpoint
        # Enough for each segment; the first pages were answered.
        proxy.inject(faults.error(code), "BatchGetItem", times=6)
        proxy.inject(faults.error(code), "Scan", when=lambda _: proxy.received["Scan"] > 12, times=6)
        status, report = pair.verify()
    assert (status, _counts(report), report["complete"]) == (1, (100, 1, 1, 1, 0, 0), True)


def test_what_was_never_allowed_ends_it_at_once(pair: Pair, dynamodb: DynamoDBLocal) -> None:
    """Nobody waits a quarter of an hour for a permission that was forgotten."""
    pair.fill(1)
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings["destinationEndpoint"] = proxy.endpoint
        proxy.inject(faults.error("AccessDeniedException"), "Scan")
        with pytest.raises(CredentialsError, match="Scan"):
            pair.verify()


def test_options_that_make_no_sense(pair: Pair, tmp_path: Path) -> None:
    """They are refused before anything is read."""
    with pytest.raises(UsageError, match="--dryRun says what --repair would do"):
        pair.verify(dry_run=True)
    with pytest.raises(UsageError, match="--deleteExtra says what --repair may do"):
        pair.verify(delete_extra=True)
    with pytest.raises(UsageError, match="can't be written"):
        pair.verify(output=tmp_path)
    assert pair.nothing_shown()


_now = time.time  # by whose clock DynamoDB goes


def _dated(name: str, seconds: float, **attributes: Any) -> Item:
    return item(name, expires={"N": f"{_now() + seconds:.0f}"}, **attributes)


def _expired(pair: Pair) -> None:
    """Equal items, and keys past their TTL that only one table has, or both in different states."""
    pair.fill(100)
    pair.put(_dated("both", -3600))
    pair.tables.put(pair.source, _dated("only source", -3600))
    pair.tables.put(pair.destination, _dated("only destination", -3600))
    pair.put(_dated("not equal", -3600, a={"N": "1"}), other=_dated("not equal", -7200))
    pair.put(_dated("lives", -3600), other=_dated("lives", 3600))
    pair.tables.put(pair.source, _dated("missing", 3600))
    pair.tables.put(pair.source, _dated("too old", -6 * 366 * 86400))


class Expiring(NamedTuple):
    """The proxy before both tables, and its answers of what TTL they have."""

    proxy: FaultProxy
    source: Fault
    destination: Fault


@pytest.fixture
def expiring(pair: Pair, dynamodb: DynamoDBLocal) -> Iterator[Expiring]:
    """TTL is on ``expires`` in both."""
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings |= {"sourceEndpoint": proxy.endpoint, "destinationEndpoint": proxy.endpoint}
        _expired(pair)
        yield Expiring(proxy, *(answer_ttl(proxy, table) for table in (pair.source, pair.destination)))


@pytest.mark.parametrize("share", [1.0, 0.999])
@pytest.mark.usefixtures("expiring")
def test_what_ttl_deletes_is_no_difference(pair: Pair, share: float) -> None:
    """It is counted by itself, and not shown; a date that only one table has is a difference."""
    status, report = pair.verify(share=share)
    assert (status, _keys(report)) == (1, {"lives": "different", "missing": "missing", "too old": "missing"})
    if share == 1.0:
        assert _counts(report) == (100, 2, 0, 1, 0, 0)
        assert (report["sourceExpired"], report["destinationExpired"]) == (4, 3)


@pytest.mark.usefixtures("expiring")
def test_what_is_past_its_ttl_is_shown_on_demand(pair: Pair, tmp_path: Path) -> None:
    """With the table that has it; the counts are the same."""
    file = tmp_path / "found.jsonl"
    status, report = pair.verify(expired=True, output=file)
    assert (status, _counts(report)) == (1, (100, 2, 0, 1, 0, 0))
    shown = {found["key"]["id"]["S"]: found["at"] for found in report["keys"] if found["outcome"] == "expired"}
    assert shown == {"only source": "source", "only destination": "destination", "not equal": "both"}
    assert len(file.read_text().splitlines()) == len(report["keys"]) == 6
    text = pair.shown(expired=True)
    assert 'expired    {"id":{"S":"only source"}}: past its TTL, at the source' in text
    assert "past their TTL at the source" in text


@pytest.mark.usefixtures("expiring")
def test_what_ttl_deletes_is_not_written_by_repair(pair: Pair) -> None:
    """It neither brings it back, nor deletes before DynamoDB does; all else is made equal."""
    assert pair.verify(repair=True)[1]["repaired"] == 3
    names = {each["id"]["S"] for each in pair.tables.items(pair.destination)}
    assert "only source" not in names
    assert {"only destination", "missing", "too old", "both"} <= names
    assert pair.verify()[0] == 0


def test_only_the_source_has_ttl(pair: Pair, expiring: Expiring) -> None:
    """An item that it has deleted, and the destination keeps for good, is an extra one."""
    expiring.destination.clear()
    status, report = pair.verify()
    assert (status, _counts(report)) == (1, (100, 2, 1, 1, 0, 0))
    assert _keys(report)["only destination"] == "extra"
    assert (report["sourceExpired"], report["destinationExpired"]) == (4, 0)


@pytest.mark.parametrize(
    ("fault", "said"),
    [(faults.error("AccessDeniedException"), True), (faults.error("UnknownOperationException"), False)],
)
def test_a_ttl_that_can_not_be_looked_at(
    pair: Pair,
    expiring: Expiring,
    fault: Any,
    said: bool,  # noqa: FBT001
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where we may not, that is said, and every item counts as any other; a store without the call has no TTL."""
    expiring.source.clear()
    expiring.destination.clear()
    expiring.proxy.inject(fault, "DescribeTimeToLive")
    status = command.run(task(**pair.settings), VerifyOptions(as_json=True, recheck=0), pause=pair.pause)
    out, errors = capsys.readouterr()
    assert status == 1
    assert _keys(json.loads(out))["only source"] == "missing"
    assert ("TTL of source table" in errors) == ("Allow dynamodb:DescribeTimeToLive" in errors) == said


@pytest.mark.usefixtures("expiring")
def test_a_clock_that_is_wrong_deletes_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this machine's is ahead of DynamoDB's, that of DynamoDB counts."""
    monkeypatch.setattr(time, "time", lambda: _now() + 7200)
    assert _keys(pair.verify()[1]) == {"lives": "different", "missing": "missing", "too old": "missing"}


@pytest.mark.usefixtures("expiring")
def test_an_archive_keeps_what_ttl_deletes(pair: Pair, expiring: Expiring) -> None:
    """With ttlDeletes=ignore what only the destination has, past its date, is not extra, and is never deleted."""
    expiring.destination.clear()
    pair.settings |= {"ttlDeletes": "ignore"}
    pair.tables.put(pair.destination, item("extra"))
    pair.tables.put(pair.destination, _dated("long ago", -8 * 366 * 86400))
    status, report = pair.verify()
    differing = {"lives": "different", "not equal": "different", "extra": "extra"}
    differing |= dict.fromkeys(("missing", "only source", "too old"), "missing")  # TTL is about to delete the last two
    assert (status, _keys(report), _counts(report)[0]) == (1, differing, 101)
    assert (report["sourceExpired"], report["destinationExpired"]) == (5, 4)
    found = _keys(pair.verify(expired=True)[1])
    assert {name: outcome for name, outcome in found.items() if outcome != "expired"} == differing
    assert found["only destination"] == found["long ago"] == "expired"
    assert pair.verify(expired=True, repair=True, delete_extra=True)[1]["repaired"] == 6
    names = {each["id"]["S"] for each in pair.tables.items(pair.destination)}
    assert {"only source", "only destination", "long ago", "too old", "missing"} <= names
    assert "extra" not in names
    assert pair.verify(expired=True)[0] == 0


@pytest.fixture
def archive(pair: Pair, dynamodb: DynamoDBLocal) -> Iterator[Pair]:
    """Empty tables; the source's TTL is on ``expires``."""
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings |= {"sourceEndpoint": proxy.endpoint, "ttlDeletes": "ignore"}
        answer_ttl(proxy, pair.source)
        yield pair


def test_what_left_the_filter_is_not_kept_in_an_archive(archive: Pair) -> None:
    """Only what the source has no more at all, by the date that the destination's item has under its own name."""
    pair = archive
    pair.settings |= {
        "filter": "attribute_not_exists(aside)",
        "renameAttributes": "expires=until",
    }
    past = {"N": f"{_now() - 3600:.0f}"}
    for name in ("kept", "left", "gone"):
        pair.tables.put(pair.destination, item(name, until=past if name != "gone" else {"N": f"{_now() + 3600:.0f}"}))
    pair.tables.put(pair.source, item("left", expires=past, aside={"S": "x"}))
    pair.tables.put(pair.source, item("missing", expires=past))
    pair.tables.put(pair.source, item("hidden", aside={"S": "x"}))
    status, report = pair.verify()
    assert (status, _keys(report)) == (1, {"missing": "missing", "gone": "extra"})
    found = _keys(pair.verify(expired=True)[1])
    assert found == {"missing": "missing", "gone": "extra", "left": "extra", "kept": "expired"}
    assert pair.verify(expired=True, repair=True, delete_extra=True)[1]["repaired"] == 3
    assert {each["id"]["S"] for each in pair.tables.items(pair.destination)} == {"kept", "missing"}
    assert pair.verify(expired=True)[0] == 0


@pytest.mark.usefixtures("expiring")
def test_an_archive_of_a_source_without_ttl_keeps_all(
    pair: Pair, expiring: Expiring, capsys: pytest.CaptureFixture[str]
) -> None:
    """TTL may have been on before: what only the destination has may be what it has deleted. That is said."""
    expiring.destination.clear()
    expiring.source.clear()
    pair.settings |= {"ttlDeletes": "ignore"}
    pair.tables.put(pair.destination, item("extra"))
    options = VerifyOptions(as_json=True, recheck=0, repair=True, delete_extra=True)
    assert command.run(task(**pair.settings), options, pause=pair.pause) == 0
    assert "Every item that only the destination has counts as kept" in capsys.readouterr().err
    assert {"extra", "only destination"} <= {each["id"]["S"] for each in pair.tables.items(pair.destination)}


@pytest.mark.usefixtures("expiring")
def test_a_clock_that_is_behind_deletes_nothing_of_an_archive(
    pair: Pair, expiring: Expiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item that DynamoDB has deleted looks as if it were yet to expire by this machine's clock."""
    expiring.destination.clear()
    pair.settings |= {"ttlDeletes": "ignore"}
    monkeypatch.setattr(time, "time", lambda: _now() - 7200)
    assert "only destination" not in _keys(pair.verify()[1])


def test_the_view_is_what_is_compared(pair: Pair) -> None:
    """What passes, as it is written; what does not pass and stands there is extra."""
    pair.settings |= {"filter": "attribute_not_exists(aside)", "excludeAttributes": "title"}
    pair.put(item("same", title={"S": "Dr."}), other=item("same"))
    pair.put(item("unlike", title={"S": "Dr."}))
    pair.put(item("hidden", aside={"S": "x"}))
    pair.tables.put(pair.source, item("hidden and missing", aside={"S": "x"}))
    status, report = pair.verify()
    assert (status, _keys(report)) == (1, {"unlike": "different", "hidden": "extra"})
    assert (report["equal"], report["sourceItems"]) == (1, 2)
    assert pair.verify(repair=True, delete_extra=True)[1]["repaired"] == 2
    assert {each["id"]["S"] for each in pair.tables.items(pair.destination)} == {"same", "unlike"}


def test_an_item_of_which_nothing_can_be_made_hides_no_other(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It differs, and says why; a repair leaves it, and all others are made equal."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    module = tmp_path / "verified_guest.py"
    module.write_text("def view(item):\n    print('called')\n    return {**item, 'n': item['n']}\n")
    pair.settings |= {"transform": "verified_guest:view", "transformPath": str(tmp_path)}
    pair.put(item("bad", a={"S": "secret"}))
    pair.put(item("equal", n={"N": "1"}))
    pair.tables.put(pair.source, item("missing", n={"N": "1"}))
    status, report = pair.verify()
    assert (status, _keys(report)) == (1, {"bad": "different", "missing": "missing"})
    (bad,) = (found for found in report["keys"] if found["outcome"] == "different")
    assert "nothing can be written of it: transform raised KeyError" in bad["paths"][0]["path"]
    assert "secret" not in json.dumps(report)
    status, report = pair.verify(repair=True)
    assert (status, report["repaired"]) == (1, 1)
    (bad,) = (found for found in report["keys"] if found["outcome"] == "different")
    assert "transform raised KeyError" in bad["repair"]["reason"]
