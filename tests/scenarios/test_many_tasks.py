"""One daemon of several tasks: a directory of files that come, change and go, and tasks that fail alone."""

from __future__ import annotations

import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from processor.commands.demo.dynamodb_local import free_port
from processor.commands.demo.workload import create_table
from processor.state import leases
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.scenarios.conftest import Pair


class Directory:
    """A directory of tasks, and the daemon of it."""

    def __init__(self, path: Path, pairs: dict[str, Pair]) -> None:
        self.path = path / "conf"
        self.path.mkdir()
        self.pairs = pairs
        self.port = free_port()
        self.daemon = Replicator(path / "daemon", {}, given=[self.path])
        self.common()

    def common(self, **more: str) -> None:
        """Write what all tasks inherit."""
        usual = {
            "logDirectory": str(self.daemon.log_directory),
            "dontPublishCloudwatch": "true",
            "shutdownGraceMillis": "120000",
            "metricsPort": str(self.port),
        }
        self._write("common", usual | more)

    def task(self, name: str, **more: str) -> None:
        """Write a task's file."""
        self._write(name, self.pairs[name].settings | more)

    def _write(self, name: str, settings: dict[str, str]) -> None:
        (self.path / f"{name}.properties").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def said(self, event: str, task: str) -> int:
        """How many of its lines say this of a task."""
        return sum(f" {event} task={task} " in line for line in self.daemon.console.splitlines())

    def wait_said(self, event: str, task: str, *, times: int = 1) -> None:
        """Until they do."""
        until(lambda: self.said(event, task) >= times, f"{event} of {task}")

    def keeper(self) -> psutil.Process:
        """The process that keeps the tasks."""
        family = psutil.Process(self.daemon.process.pid).children()
        return next(each for each in family if "processor.cli.keeper" in each.cmdline())

    def child_of(self, name: str) -> psutil.Process:
        """The record processor of a task of one shard, which has its task's metrics mapped."""
        task = f"/{self.pairs[name].settings['taskName']}/"
        family = psutil.Process(self.daemon.process.pid).children(recursive=True)
        found = [each for each in family if any(task in file.path for file in each.memory_maps())]
        assert len(found) == 1
        return found[0]

    def metrics(self) -> str:
        """What Prometheus would read."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=PATIENCE_SECONDS) as page:
            return str(page.read().decode())


@pytest.fixture
def directory(tmp_path: Path, make_pair: Callable[[], Pair]) -> Iterator[Directory]:
    """Of the tasks a, b and c, all of them there."""
    made = Directory(tmp_path, {name: make_pair() for name in "abc"})
    for name in made.pairs:
        made.task(name)
    yield made
    made.daemon.__exit__()


def _lease_owners(pair: Pair) -> set[str | None]:
    return {lease.owner for lease in leases.read(pair.source, pair.checkpoint_table) or []}


def _make_destination(pair: Pair) -> None:
    create_table(pair.destination, pair.destination_table, stream=False)


def test_tasks_come_change_and_go(directory: Directory) -> None:
    """Each as its file does, and no other is begun anew for that; in the end a signal ends all of them cleanly."""
    a, b, c = (directory.pairs[name] for name in "abc")
    (directory.path / "c.properties").rename(directory.path / "c.later")
    (directory.path / "rubbish.properties").write_text("sourceTable=orders\nno such setting: 5\n")
    directory.daemon.start()
    for number, pair in enumerate((a, b, c)):
        pair.put("first", n={"N": str(number)})
    a.wait_for("first")
    b.wait_for("first")
    assert not c.replicated()
    directory.wait_said("task_not_begun", "rubbish")

    (directory.path / "c.later").rename(directory.path / "c.properties")
    c.wait_for("first")
    pages = until(lambda: [page for page in [directory.metrics()] if page.count("_shards{") >= 3], "metrics of all")
    assert {f'task="{pair.settings["taskName"]}"' in pages[0] for pair in (a, b, c)} == {True}

    directory.keeper().kill()
    directory.wait_said("task_not_begun", "rubbish", times=2)  # by the one that has begun in its place
    (directory.path / "b.properties").unlink()
    directory.wait_said("task_removed", "b")
    until(lambda: _lease_owners(b) == {None}, "b's leases given back")
    b.put("second")
    directory.task("c", batchSize="7")
    directory.wait_said("task_begun", "c", times=2)
    for pair in (a, c):
        pair.put("second")
        pair.wait_for("second")
    assert "second" not in b.replicated()
    assert [directory.said("task_begun", name) for name in "abc"] == [1, 1, 2]
    assert [directory.said("task_ended", name) for name in "abc"] == 3 * [0]

    directory.task("b")
    b.wait_for("second")
    assert directory.daemon.stop() == 0, directory.daemon.console
    assert [_lease_owners(pair) for pair in (a, b, c)] == 3 * [{None}]


def test_tasks_fail_alone(directory: Directory) -> None:
    """Neither a destination that isn't there yet, nor one that is lost, nor a child that is killed concerns another."""
    a, b, c = (directory.pairs[name] for name in "abc")
    b.destination.delete_table(TableName=b.destination_table)
    directory.daemon.start()
    for pair in (a, b, c):
        pair.put("first")
    a.wait_for("first")
    c.wait_for("first")
    directory.wait_said("task_not_begun", "b")
    _make_destination(b)
    directory.daemon.process.send_signal(signal.SIGHUP)  # else it is looked at after a pause
    b.wait_for("first")

    c.destination.delete_table(TableName=c.destination_table)
    c.put("second")
    directory.wait_said("writes_delayed", "c")
    directory.child_of("a").kill()
    a.put("second")  # a shard's child is spoken to when there is something to say
    directory.wait_said("task_ended", "a")
    b.put("second")
    b.wait_for("second")
    a.wait_for("second")
    _make_destination(c)
    c.wait_for("second")
    assert [directory.said("task_ended", name) for name in "abc"] == [1, 0, 0]
    assert directory.daemon.stop() == 0, directory.daemon.console


def test_nothing_that_could_begin(directory: Directory) -> None:
    """Then it ends as the command line's own errors do, and says of each file what is wrong."""
    for name in "abc":
        directory.task(name, batchSize=name)
    directory.daemon.start()
    assert directory.daemon.wait() == 22
    for name in "abc":
        assert f"{directory.path}/{name}.properties: batchSize" in directory.daemon.console
