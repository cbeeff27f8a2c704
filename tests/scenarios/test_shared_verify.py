"""One verification by several processes or machines: whoever is killed, the report is the same, or not complete."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from processor.aws.clients import Clients
from processor.startup import java
from processor.state import pass_rows
from tests.fakes.machine.command import command, end_of
from tests.fakes.machine.ended import has_ended
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.fakes.task.tasks import task
from tests.scenarios.conftest import Pair

# Each process has one part at a time, so there is something left whenever one is killed.
SHARED = {"verifyProcesses": "2", "applyThreads": "1"}
ITEMS = 200


class Stage:
    """Two tables with a difference of each kind, and a proxy before the destination."""

    def __init__(self, pair: Pair, proxy: FaultProxy) -> None:
        self.proxy = proxy
        self.settings = pair.settings | SHARED | {"destinationEndpoint": proxy.endpoint}
        for first in range(0, ITEMS, 25):
            items = [{"id": {"S": f"{number:03}"}, "n": {"N": "0"}} for number in range(first, first + 25)]
            requests: Any = [{"PutRequest": {"Item": item}} for item in items]
            pair.source.batch_write_item(RequestItems={pair.source_table: requests})
            pair.destination.batch_write_item(RequestItems={pair.destination_table: requests})
        pair.put("missing")
        pair.put("100", n={"N": "1"})
        pair.destination.put_item(TableName=pair.destination_table, Item={"id": {"S": "extra"}})

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start it."""
        return command("verify", self.settings, "--recheck", "0", "--json", *options)


@pytest.fixture
def stage(pair: Pair) -> Iterator[Stage]:
    """A fresh one."""
    with FaultProxy(pair.settings["destinationEndpoint"]) as proxy:
        yield Stage(pair, proxy)


def _workers(verifying: subprocess.Popen[str], count: int = 2) -> list[psutil.Process]:
    """The processes that it has forked."""
    process = psutil.Process(verifying.pid)
    until(lambda: len(process.children(recursive=True)) == count, f"{count} processes")
    return process.children(recursive=True)


def _insist_found(output: str) -> None:
    """All of it, and each key counted once."""
    report = json.loads(output)
    assert report["complete"] is True
    assert {found["key"]["id"]["S"]: found["outcome"] for found in report["keys"]} == {
        "missing": "missing",
        "extra": "extra",
        "100": "different",
    }
    names = ("sourceItems", "destinationItems", "equal", "missing", "extra", "different")
    assert [report[name] for name in names] == [ITEMS + 1, ITEMS + 1, ITEMS - 1, 1, 1, 1]


@pytest.mark.parametrize("operation", ["Scan", "BatchGetItem"])
def test_a_process_that_is_killed(stage: Stage, operation: str) -> None:
    """While sums are made, or keys are looked up: the other one reads again what it had not told."""
    held = stage.proxy.inject(faults.hold(), operation)
    verifying = stage.start()
    held.wait(1)
    workers = _workers(verifying)
    workers[0].kill()
    until(lambda: has_ended(workers[0]), "its end")
    held.clear()
    status, output, errors = end_of(verifying)
    assert status == 1, errors
    assert errors.count("process_lost") == 1
    assert "killed by signal 9" in errors
    _insist_found(output)


def test_all_processes_are_killed(stage: Stage) -> None:
    """It ends with 5, and says so; the report says that it is not complete."""
    held = stage.proxy.inject(faults.hold(), "Scan")
    verifying = stage.start()
    held.wait(2)
    for worker in _workers(verifying):
        worker.kill()
    status, output, errors = end_of(verifying)
    held.clear()
    assert status == 5
    assert "All 2 processes that did the work have ended" in errors
    assert json.loads(output)["complete"] is False


def test_the_process_that_waits_is_killed(stage: Stage) -> None:
    """The others end by themselves."""
    held = stage.proxy.inject(faults.hold(), "Scan")
    verifying = stage.start()
    held.wait(2)
    workers = _workers(verifying)
    verifying.kill()
    held.clear()  # a call in hand is not given up
    verifying.communicate()
    until(lambda: not any(map(psutil.Process.is_running, workers)), "the workers' end")


def test_ctrl_c_ends_all(stage: Stage) -> None:
    """A terminal sends it to each process; the report has what was found, and nothing is left behind."""
    busy = stage.proxy.inject(faults.error("ThrottlingException"), "Scan")
    given = [part for name, value in stage.settings.items() for part in (f"--{name}", value)]
    verifying = subprocess.Popen(
        [java.ROOT / "run.sh", "verify", *given, "--json"],
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    busy.wait(4)
    workers = _workers(verifying)
    os.killpg(verifying.pid, signal.SIGINT)
    status, output, errors = end_of(verifying)
    assert status == 130, errors
    assert errors.count("Stopping; once more ends it at once") == 1
    assert json.loads(output)["complete"] is False
    assert not any(map(psutil.Process.is_running, workers))


def test_repair_by_several_processes(stage: Stage) -> None:
    """What they find is written by the one that waits, and the tables are equal."""
    status, output, errors = end_of(stage.start("--repair", "--deleteExtra"))
    assert status == 0, errors
    assert json.loads(output)["repaired"] == 3
    status, output, errors = end_of(stage.start())
    assert (status, json.loads(output)["equal"]) == (0, ITEMS + 1), errors


def _members(stage: Stage) -> int:
    """How many processes of all machines are at it: those that wait, and those that compare."""
    settings = task(**{**stage.settings, "kclEndpoint": stage.settings["sourceEndpoint"]})
    found = pass_rows.read(Clients(settings).checkpoints(), settings.task_table)
    return 0 if found is None else len(found.members or {})


def test_three_machines_one_of_which_is_lost(stage: Stage) -> None:
    """The others do the rest, and each reports the whole, as one machine would; nothing of it stays."""
    stage.settings |= {"verifyProcesses": "1"}
    held = stage.proxy.inject(faults.hold(), "Scan")
    machines = []
    for count in (1, 2, 3):
        machines.append(stage.start("--shared"))
        until(lambda count=count: _members(stage) == 2 * count, f"{count} machines")  # type: ignore[misc]
    held.wait(3)
    machines[0].kill()
    machines[0].communicate()
    held.clear()
    for machine in machines[1:]:
        status, output, errors = end_of(machine)
        assert status == 1, errors
        assert "Joining this task's shared verification" in errors
        _insist_found(output)
    assert _members(stage) == 0
    assert end_of(stage.start("--shared"))[0] == 1  # anew, by itself
