"""One copy by several processes, on one machine and on several: whoever is killed, the others do the rest."""

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
from processor.commands.demo.workload import scan
from processor.startup import java
from processor.state import copy_rows
from processor.state.copy_rows import CopyState
from tests.fakes.machine.command import end_of
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.fakes.task.tasks import task
from tests.scenarios.conftest import Pair
from tests.scenarios.test_copy import COPY, ITEMS, Stage

# Each process has one segment at a time, so there is something left whenever one is killed.
SHARED = {"copyProcesses": "2", "applyThreads": "1", "copySegments": "8"}


@pytest.fixture
def stage(pair: Pair) -> Iterator[Stage]:
    """A fresh one, whose copies are shared."""
    with FaultProxy(pair.settings["sourceEndpoint"]) as source, FaultProxy(pair.settings["destinationEndpoint"]) as to:
        made = Stage(pair, source, to)
        made.settings |= SHARED
        yield made


def _workers(copying: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that a copy has forked."""
    return psutil.Process(copying.pid).children(recursive=True)


def _kill(*processes: psutil.Process) -> None:
    for each in processes:
        each.kill()


def _row(stage: Stage) -> CopyState:
    settings = task(**{**stage.settings, "kclEndpoint": stage.pair.settings["sourceEndpoint"]})
    found = copy_rows.read(Clients(settings).checkpoints(), settings.task_table)
    assert found is not None
    return found


def _wait_members(stage: Stage, count: int) -> None:
    """Until so many processes work on it. Held calls can't be counted: one ends by its timeout, and is made again."""
    until(lambda: len(_row(stage).members or {}) == count, f"{count} members")


def _insist_copied(stage: Stage, output: str) -> dict[str, Any]:
    """All of it, and counted once."""
    report: dict[str, Any] = json.loads(output)
    assert report["items"] == ITEMS
    assert scan(stage.pair.source, stage.pair.source_table) == stage.pair.replicated()
    row = _row(stage)
    assert (row.state, row.items, row.members) == ("done", ITEMS, {})
    return report


@pytest.mark.parametrize("options", [(), ("--concurrent",)])
def test_a_process_that_is_killed(stage: Stage, options: tuple[str, ...]) -> None:
    """The other one takes over what it had begun, at once: both are of one machine."""
    held = stage.inject("destination", faults.hold(), "BatchWriteItem")
    copying = stage.start("--json", *options)
    held.wait(2)
    _wait_members(stage, 2)
    workers = _workers(copying)
    assert len(workers) == 2
    _kill(workers[0])
    held.clear()
    status, output, errors = end_of(copying)
    assert status == 0, errors
    assert errors.count("process_lost") == 1
    assert "killed by signal 9" in errors
    _insist_copied(stage, output)


def test_all_processes_are_killed(stage: Stage) -> None:
    """It ends with 5, and says so; the same command does the rest."""
    held = stage.inject("destination", faults.hold(), "BatchWriteItem")
    copying = stage.start("--json")
    held.wait(2)
    _kill(*_workers(copying))
    status, _, errors = end_of(copying)
    held.clear()
    assert status == 5
    assert "All 2 processes that did the work have ended" in errors
    _insist_copied(stage, end_of(stage.start("--json"))[1])


def test_the_process_that_waits_is_killed(stage: Stage) -> None:
    """Its workers end by themselves, and the same command goes on."""
    held = stage.inject("destination", faults.hold(), "BatchWriteItem")
    copying = stage.start("--json")
    held.wait(2)
    _wait_members(stage, 2)
    workers = _workers(copying)
    copying.kill()
    copying.communicate()
    held.clear()
    until(lambda: not any(map(psutil.Process.is_running, workers)), "the workers' end")
    _insist_copied(stage, end_of(stage.start("--json"))[1])


def test_two_machines(stage: Stage) -> None:
    """The second joins; both end when all is done, with the same totals."""
    held = stage.inject("destination", faults.hold(), "BatchWriteItem")
    first = stage.start("--json")
    held.wait(2)
    second = stage.start("--json")
    _wait_members(stage, 4)
    held.clear()
    ends = [end_of(each) for each in (first, second)]
    assert [status for status, _, _ in ends] == [0, 0], ends
    assert "Joining this task's copy" in ends[1][2]
    for _, output, _ in ends:
        _insist_copied(stage, output)


def test_a_machine_that_is_lost(stage: Stage) -> None:
    """The other one does the rest, and what the lost one had begun."""
    held = stage.inject("destination", faults.hold(), "BatchWriteItem")
    first = stage.start("--json")
    held.wait(2)
    second = stage.start("--json")
    _wait_members(stage, 4)
    first.kill()  # first, or it would see how its workers end
    _kill(*_workers(first))
    first.communicate()
    held.clear()
    status, output, errors = end_of(second)
    assert status == 0, errors
    _insist_copied(stage, output)


@pytest.mark.parametrize("option", ["--restart", "--concurrent", "--forget"])
def test_what_others_are_doing_is_not_done_otherwise(stage: Stage, option: str) -> None:
    """A copy that somebody runs is neither begun anew, nor gone on with beside a replication, nor forgotten."""
    held = stage.inject("destination", faults.hold(), "BatchWriteItem")
    copying = stage.start("--json")
    held.wait(2)
    status, _, errors = end_of(stage.start(option))
    assert status == 22, errors
    assert "This task's copy is being run by process" in errors
    held.clear()
    _insist_copied(stage, end_of(copying)[1])


def test_ctrl_c_ends_all(stage: Stage) -> None:
    """A terminal sends it to each process; they end in order, and leave nothing behind."""
    busy = stage.inject("destination", faults.error("ThrottlingException"), "BatchWriteItem")
    given = [part for name, value in stage.settings.items() for part in (f"--{name}", value)]
    copying = subprocess.Popen(
        [java.ROOT / "run.sh", "copy", *given],
        env=os.environ | COPY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    busy.wait(20)
    workers = _workers(copying)
    os.killpg(copying.pid, signal.SIGINT)
    status, _, errors = end_of(copying)
    assert status == 130, errors
    assert errors.count("Stopping after what is in hand") == 1
    assert not any(map(psutil.Process.is_running, workers))
    assert _row(stage).members == {}
    busy.clear()
    _insist_copied(stage, end_of(stage.start("--json"))[1])


def test_a_limit_holds_for_all_together(stage: Stage) -> None:
    """Half of it for each of two processes."""
    limit = 100
    status, output, errors = end_of(stage.start("--json", "--copyWriteUnits", str(limit)))
    assert status == 0, errors
    report = _insist_copied(stage, output)
    assert report["writeUnits"] >= ITEMS
    assert report["writeUnits"] / report["seconds"] <= limit * 1.2
