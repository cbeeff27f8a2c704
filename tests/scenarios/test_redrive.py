"""Dead letters from the real daemon, brought up to date by ``./run.sh redrive``; and commands that are interrupted."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from processor.replication.dead_letters.file_store import LetterFile, append_line
from processor.replication.dead_letters.letter import encode
from tests.fakes.aws.moto_s3 import MotoS3
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.command import command, end_of
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.fakes.task.letters import letter
from tests.scenarios.conftest import Pair
from tests.scenarios.test_refusals import accept_numbers, refuse_numbers

MakeReplicator = Callable[..., Replicator]


class Letters:
    """Where the letters go, and how many there are."""

    def __init__(self, uri: str, environment: Mapping[str, str], count: Callable[[], int]) -> None:
        self.settings = {"onError": "deadLetter", "deadLetterUri": uri}
        self.environment = dict(environment)
        self.count = count


@pytest.fixture(params=["file", "s3"])
def letters(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Letters]:
    """A file, or a bucket."""
    if request.param == "file":
        path = tmp_path / "dead letters.jsonl"
        yield Letters(path.as_uri(), {}, lambda: len(path.read_text().splitlines()) if path.exists() else 0)
        return
    with MotoS3() as server:
        server.client().create_bucket(Bucket="dead-letters")
        yield Letters("s3://dead-letters/here", server.environment, lambda: len(server.objects("dead-letters")))


def test_redrive_beside_a_running_daemon(pair: Pair, replicator: MakeReplicator, letters: Letters) -> None:
    """Letters stay while their keys are refused; once they aren't, redrive makes the tables equal and clears them."""
    refuse_numbers(pair)
    settings = pair.settings | letters.settings

    def redrive(*switches: str) -> tuple[int, Any]:
        status, output, errors = end_of(
            command("redrive", settings, *switches, "--json", environment=letters.environment)
        )
        assert errors == ""
        return status, json.loads(output)

    running = replicator(settings)
    running.start(environment=letters.environment)
    for name in ("stays", "changes", "goes"):
        pair.put(name, code={"N": "1"}, other={"SS": ["b", "a"]})
    pair.put("good")
    pair.wait_for("good")
    until(lambda: letters.count() == 3, "three letters")
    status, report = redrive()
    assert (status, report["failing"], report["removedLetters"], letters.count()) == (1, 3, 0, 3)

    accept_numbers(pair)
    pair.put("changes", code={"N": "2"})
    pair.delete("goes")
    pair.put("later")
    pair.wait_for("later")
    until(lambda: "changes" in pair.replicated(), "the newer image")
    status, report = redrive("--dryRun")
    assert (status, report["applied"], report["moot"], letters.count()) == (0, 1, 2, 3)
    assert "stays" not in pair.replicated()

    status, report = redrive()
    assert (status, report["applied"], report["moot"], report["removedLetters"], letters.count()) == (0, 1, 2, 3, 0)
    pair.wait_equal()
    assert sorted(pair.replicated()) == ["changes", "good", "later", "stays"]
    status, report = redrive()
    assert (status, report["letters"]) == (0, 0)
    assert running.stop() == 0


def test_a_destination_made_anew_with_another_key_stops_everything(
    pair: Pair, replicator: MakeReplicator, tmp_path: Path
) -> None:
    """Every change would be refused then: it ends with 5, says why, and sets nothing aside, whatever onError says."""
    file = tmp_path / "letters.jsonl"
    with replicator(pair.settings | {"onError": "deadLetter", "deadLetterUri": file.as_uri()}) as running:
        pair.put("before")
        pair.wait_for("before")
        pair.destination.delete_table(TableName=pair.destination_table)
        pair.destination.create_table(
            TableName=pair.destination_table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        pair.put("after")
        until(lambda: "ERROR held " in running.console, "the message")
        assert running.stop() == 0
        assert f"The key of destination table {pair.destination_table} in eu-west-1 is pk (S) now" in running.console
    assert not file.exists()


class Stage:
    """A source and letters of its items, a destination behind a proxy, and redrives that meet its faults."""

    def __init__(self, pair: Pair, proxy: FaultProxy, path: Path, count: int) -> None:
        self.pair = pair
        self.proxy = proxy
        self.path = path
        self.settings = pair.settings | {
            "destinationEndpoint": proxy.endpoint,
            "deadLetterUri": path.as_uri(),
            "applyThreads": "1",
            "failoverTimeMillis": "600000",  # no call is given up, and made again, while a test holds it
        }
        for number in range(count):
            pair.put(f"{number:03}", version={"N": "1"})
            self.letter(f"{number:03}")

    def letter(self, key: str, **more: Any) -> None:
        """A letter of this task, or of another."""
        named = {"task_name": self.pair.settings["taskName"], "table": self.pair.destination_table} | more
        content = json.loads(encode(letter(key, **named))) | {"region": "eu-west-1"}
        append_line(self.path, json.dumps(content).encode())

    def left(self) -> int:
        """How many letters there are."""
        return len(list(LetterFile(self.path).entries()))


@pytest.fixture
def make_stage(pair: Pair, tmp_path: Path) -> Iterator[Callable[[int], Stage]]:
    """Stages with so many letters."""
    with FaultProxy(pair.settings["destinationEndpoint"]) as proxy:
        yield lambda count: Stage(pair, proxy, tmp_path / "letters.jsonl", count)


def test_a_newer_image_is_never_overwritten(make_stage: Callable[[int], Stage]) -> None:
    """What the source becomes between redrive's read and its write, and has replicated by then, is there at the end."""
    stage = make_stage(2)
    pair, held = stage.pair, stage.proxy.inject(faults.hold(), "PutItem", times=1)
    started = command("redrive", stage.settings)
    held.wait()
    for client, table in ((pair.source, pair.source_table), (pair.destination, pair.destination_table)):
        client.put_item(TableName=table, Item={"id": {"S": "000"}, "version": {"N": "2"}})
    held.clear()
    status, output, errors = end_of(started)
    assert (status, errors) == (0, "")
    assert "Letters removed: 2" in output
    assert pair.replicated()["000"] == {"id": {"S": "000"}, "version": {"N": "2"}}
    versions = [write.item for write in stage.proxy.writes if write.key == {"id": {"S": "000"}}]
    assert [item and item["version"]["N"] for item in versions] == ["1", "2"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_redrive_between_keys(number: signal.Signals, make_stage: Callable[[int], Stage]) -> None:
    """Stopped, it ends the key in hand, says how far it got, and the letters of the other keys stay."""
    stage = make_stage(20)
    held = stage.proxy.inject(faults.hold(), "PutItem", when=lambda exchange: b'"007"' in exchange.body)
    started = command("redrive", stage.settings, "--json")
    held.wait()
    started.send_signal(number)
    assert started.stderr is not None
    assert "Stopping after the keys in hand" in started.stderr.readline()
    held.clear()
    status, output, errors = end_of(started)
    assert status == 128 + number
    assert "Stopped before it was through" in errors
    report = json.loads(output)
    assert (report["applied"], report["pending"], report["removedLetters"]) == (8, 12, 8)
    assert stage.left() == 12
    assert end_of(command("redrive", stage.settings))[0] == 0
    stage.pair.wait_equal()
    assert stage.left() == 0


def _is_pending(pid: int, number: signal.Signals) -> bool:
    """Whether the signal was sent and has not reached the process yet."""
    status = Path(f"/proc/{pid}/status").read_text()
    pending = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask >> (number - 1) & 1 for mask in pending)


def test_killed_redrive_loses_nothing(make_stage: Callable[[int], Stage]) -> None:
    """Kill -9 in the middle leaves every letter, or a table that has its key; the next run does the rest."""
    stage = make_stage(20)
    held = stage.proxy.inject(faults.hold(), "PutItem", when=lambda exchange: b'"011"' in exchange.body)
    started = command("redrive", stage.settings)
    held.wait()
    started.kill()
    started.communicate()
    held.clear()
    assert stage.left() == 20
    status, output, _ = end_of(command("redrive", stage.settings, "--json"))
    report = json.loads(output)
    assert (status, report["applied"] + report["moot"], report["removedLetters"]) == (0, 20, 20)
    stage.pair.wait_equal()


def test_the_report_for_people(make_stage: Callable[[int], Stage]) -> None:
    """A table of outcomes, then what is kept and why; torn lines make it end with 1, other replications' don't."""
    stage = make_stage(2)
    stage.letter("x", task_name="another")
    assert end_of(command("redrive", stage.settings))[0] == 0
    append_line(stage.path, b'{"torn')
    status, output, errors = end_of(command("redrive", stage.settings, "--dryRun"))
    assert (status, errors) == (1, "")
    for words in (
        "would be applied",
        "Can't be understood, kept (1)",
        f"{stage.path}:2",
        "Of other replications, kept (1)",
        "of task another",
        "none, for this is a dry run",
    ):
        assert words in output


def test_what_is_not_ready_ends_redrive_with_22(make_stage: Callable[[int], Stage]) -> None:
    """No place of letters, or a table that isn't there: 22, and nothing is read or written."""
    stage = make_stage(1)
    status, _, errors = end_of(command("redrive", stage.pair.settings))
    assert (status, "deadLetterUri is not set" in errors) == (22, True)
    status, _, errors = end_of(command("redrive", stage.settings | {"destinationTable": "none"}))
    assert (status, "destination table none in eu-west-1: does not exist" in errors) == (22, True)
    assert stage.left() == 1


def test_what_cannot_be_finished_ends_redrive_with_5(make_stage: Callable[[int], Stage]) -> None:
    """A permission that is missing: 5, AWS's words, and the letters stay."""
    stage = make_stage(1)
    stage.proxy.inject(faults.error("AccessDeniedException"), "GetItem")
    status, output, errors = end_of(command("redrive", stage.settings))
    assert status == 5
    assert "GetItem on table" in errors
    assert "not come to" in output
    assert stage.left() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_check_is_not_ready(number: signal.Signals, pair: Pair) -> None:
    """A script must not take an interrupted check for a ready task."""
    with FaultProxy(pair.settings["destinationEndpoint"]) as proxy:
        held = proxy.inject(faults.hold(), "DescribeTable")
        started = command("check", pair.settings | {"destinationEndpoint": proxy.endpoint})
        held.wait()
        started.send_signal(number)
        until(lambda: not _is_pending(started.pid, number), "the signal's arrival")
        held.clear()
        status, _, errors = end_of(started)
    assert status == 128 + number
    assert "check was interrupted" in errors
