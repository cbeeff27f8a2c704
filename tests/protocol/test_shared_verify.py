"""Several processes find in two tables what one finds, whatever the options and the settings."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.errors import CredentialsError, OutputError, ProcessFailedError
from processor.settings import attribute_paths
from tests.conftest import Tables
from tests.fakes.machine.as_process import as_process
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.streams.stream_record import Item
from tests.protocol.conftest import item
from tests.protocol.test_verify import Pair

PROCESSES = "3"
_ITEMS = 120
VIEW = {
    "filter": "attribute_not_exists(aside)",
    "excludeAttributes": "title",
    "maskAttributes": "mail",
    "maskKey": "env:VERIFY_MASK_KEY",
}


@pytest.fixture
def pair(tables: Tables, dynamodb: DynamoDBLocal, capsys: pytest.CaptureFixture[str]) -> Iterator[Pair]:
    """With the string key ``id``."""
    with as_process():
        yield Pair(tables, dynamodb.endpoint, capsys)


def _draw(chance: random.Random, number: int) -> tuple[Item | None, Item | None]:
    """What the source has of a key, and what the destination has."""
    made = item(f"{number:03}", n={"N": "1.50"}, s={"SS": ["a", "b"]})
    past = {"N": f"{time() - 3600:.0f}"}
    drawn: list[tuple[Item | None, Item | None]] = [
        (made, made),
        (made, made),
        (made, item(f"{number:03}", s={"SS": ["b", "a"]}, n={"N": "15E-1"})),
        (made, None),
        (None, made),
        (made, made | {"n": {"N": "2"}}),
        (made, made | {"more": {"M": {"a": {"L": [{"N": "1"}]}}}}),
        (made | {"expires": past}, None),
        (None, made | {"expires": past}),
        (made | {"expires": past}, made),
        (made | {"aside": {"S": "x"}}, made),
        (made | {"title": {"S": "Dr."}, "mail": {"S": "a@example.com"}}, made),
    ]
    return chance.choice(drawn)


def fill(pair: Pair, seed: int) -> None:
    """Items of every kind in both tables."""
    chance = random.Random(seed)
    drawn = [_draw(chance, number) for number in range(_ITEMS)]
    for table, index in ((pair.source, 0), (pair.destination, 1)):
        pair.put_many(table, [each for both in drawn if (each := both[index]) is not None])


def _found(pair: Pair, file: Path, processes: str, **options: Any) -> tuple[int, dict[str, Any], list[str]]:
    """Exit status, report and output, with keys in order."""
    pair.settings["verifyProcesses"] = processes
    status, report = pair.verify(output=file, show=_ITEMS, **options)
    report["keys"].sort(key=lambda found: found["key"]["id"]["S"])
    return status, report, sorted(file.read_text().splitlines())


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({}, {}),
        ({}, {"recheck": 0, "values": True, "expired": True}),
        ({}, {"ignore": tuple(attribute_paths.parse("more.a[0],n"))}),
        ({"applyThreads": "1"}, {"repair": True, "dry_run": True, "delete_extra": True}),
        ({"ttlDeletes": "ignore"}, {"expired": True}),
        (VIEW, {"recheck": 0}),
        (VIEW | {"ttlDeletes": "ignore"}, {}),
        ({"writeMode": "fenced"}, {}),
    ],
)
def test_the_report_is_that_of_one_process(
    settings: dict[str, str], options: dict[str, Any], proxied: Pair, tmp_path: Path
) -> None:
    """Line by line, exit status included."""
    proxied.settings |= settings
    fill(proxied, seed=len(str((settings, options))))
    file = tmp_path / "found.jsonl"
    alone = _found(proxied, file, "1", **options)
    assert alone[1]["keys"]
    assert _found(proxied, file, PROCESSES, **options) == alone
    if "expired" not in options:
        repaired = _found(proxied, file, PROCESSES, repair=True, delete_extra=True)
        assert (repaired[0], repaired[1]["repaired"]) == (0, len(repaired[1]["keys"]))
        assert _found(proxied, file, "1")[0] == 0


def test_a_sample_by_several_processes(pair: Pair) -> None:
    """Parts of each table, each of them by one process."""
    pair.fill(_ITEMS)
    pair.settings["verifyProcesses"] = PROCESSES
    status, report = pair.verify(share=0.5)
    assert (status, report["equal"]) == (0, report["sourceItems"])
    assert 0 < report["sourceItems"] < _ITEMS


def test_a_failure_of_one_ends_all(pair: Pair, dynamodb: DynamoDBLocal) -> None:
    """With its message and its exit status, at once."""
    pair.fill(1)
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings |= {"destinationEndpoint": proxy.endpoint, "verifyProcesses": PROCESSES}
        proxy.inject(faults.error("AccessDeniedException"), "Scan")
        with pytest.raises(ProcessFailedError, match="Scan") as caught:
            pair.verify()
    assert caught.value.exit_status == CredentialsError.exit_status
    assert not pair.report()["complete"]


def test_throttling_is_waited_for_by_all(pair: Pair, dynamodb: DynamoDBLocal) -> None:
    """Calls that fail for a while are made again, whoever makes them."""
    fill(pair, seed=1)
    alone = pair.verify()
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings |= {"destinationEndpoint": proxy.endpoint, "verifyProcesses": PROCESSES}
        for operation in ("Scan", "BatchGetItem"):
            proxy.inject(faults.error("ProvisionedThroughputExceededException"), operation, times=8)
        status, report = pair.verify()
    assert (status, report["equal"], report["different"]) == (1, alone[1]["equal"], alone[1]["different"])


def test_an_output_that_can_not_be_written_ends_all(
    pair: Pair,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """As with one process."""
    fill(pair, seed=2)
    pair.settings["verifyProcesses"] = PROCESSES

    def full(*_: object) -> None:
        raise OutputError("found.jsonl", "No space left on device")

    monkeypatch.setattr("processor.commands.verify.report.OutputFile.write", full)
    with pytest.raises(OutputError):
        pair.verify(output=tmp_path / "found.jsonl")
    assert not pair.report()["complete"]
