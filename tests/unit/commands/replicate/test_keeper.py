"""A daemon's tasks: each begun, ended and begun again as its file and its end say, and none for another's sake."""

from __future__ import annotations

import errno
import io
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

import msgspec
import pytest

from processor.cli import arguments, many
from processor.cli.arguments import Named
from processor.cli.registry import REPLICATE
from processor.commands.replicate import keeper as keeper_module
from processor.commands.replicate import kept_task
from processor.commands.replicate.keeper import Keeper
from processor.commands.replicate.kept_task import KeptTask
from processor.flow.retry_policy import RetryPolicy
from processor.reporting.findings import error
from processor.settings import process_settings, task_files, task_watch
from processor.settings.daemon_files import SETTINGS_FILE
from processor.settings.named_task import NamedTask
from processor.settings.settings import Settings
from processor.settings.task_file import TaskFile
from processor.settings.task_watch import TaskWatch
from processor.startup import slot
from processor.startup.facts import Facts
from processor.startup.preflight import PreflightReport
from processor.startup.slot import Slot
from tests.fakes.patience import until
from tests.fakes.task import tasks
from tests.unit.conftest import Event

Events = Callable[[], list[Event]]


class Answers(io.StringIO):
    """What the keeper says to the daemon."""

    def words(self) -> list[list[str]]:
        """Each line's, as far as it is complete."""
        return [line.split() for line in self.getvalue().split("\n")[:-1]]


class FakeDaemon:
    """Hears the keeper, and speaks to it; its end is the keeper's, and that of each task."""

    def __init__(self, path: Path) -> None:
        self.conf = path / "conf"
        self.conf.mkdir()
        self.logs = path / "logs"
        self.answers = Answers()
        self.not_ready: set[str] = set()
        self.two_way: set[str] = set()
        self._keepers: list[tuple[Keeper, list[str]]] = []
        self._more = threading.Condition()

    def task(self, name: str, **settings: str) -> None:
        """A file that can be used, unless the settings say otherwise."""
        given = {
            **tasks.REQUIRED,
            "destinationTable": f"table-{name}",
            "logDirectory": str(self.logs),
            "taskName": name,
        }
        text = "".join(f"{key}={value}\n" for key, value in (given | settings).items())
        (self.conf / f"{name}.properties").write_text(text)

    def start(self, *said: str) -> None:
        """Begin a keeper.

        :param said: what it is told of tasks that run already
        """
        given = arguments.take_named([str(self.conf)])
        watch = TaskWatch(lambda: task_files.list_files(given.files), self._loader(given))
        self.answers = Answers()
        says = [*said, "begin"]
        keeper = Keeper(watch, process_settings.of(tasks.task()), worker_id="host-1-0", answers=self.answers)
        self._keepers.append((keeper, says))
        threading.Thread(target=keeper.serve, args=(self._lines(says),), name="serve", daemon=True).start()

    def _loader(self, given: Named) -> Callable[[TaskFile], NamedTask]:
        load = many.loader(given, REPLICATE, {})

        def loaded(file: TaskFile) -> NamedTask:
            task = load(file)
            if task.settings is None or file.name not in self.two_way:
                return task
            return replace(task, settings=msgspec.structs.replace(task.settings, two_way=True, direction="mirror"))

        return loaded

    def _lines(self, says: list[str]) -> Iterator[str]:
        while True:
            with self._more:
                self._more.wait_for(lambda: says)
                line = says.pop(0)
            if not line:
                return
            yield line + "\n"

    def say(self, line: str) -> None:
        """To the newest keeper."""
        with self._more:
            self._keepers[-1][1].append(line)
            self._more.notify_all()

    def end(self) -> None:
        """Wait until no keeper nor any of their tasks is left: in a process of its own, they end with that."""
        with self._more:
            for _, says in self._keepers:
                says.append("")
            self._more.notify_all()
        until(lambda: not {"serve", "files"} & {thread.name for thread in threading.enumerate()}, "the keepers' ends")
        for keeper, _ in self._keepers:
            for task in [*keeper._tasks.values(), *keeper._leaving]:
                until(lambda task=task: _is_ended(task), f"the end of {task.name}")

    def started(self, name: str, times: int = 1) -> list[str]:
        """Wait until it is begun; returns the last words: start, number, name, properties, file."""

        def found() -> list[str] | None:
            all_of_it = [words for words in self.answers.words() if words[0] == "start" and words[2] == name]
            return all_of_it[times - 1] if len(all_of_it) >= times else None

        words: list[str] = until(found, f"start of {name}")
        return words

    def stopped(self, number: str) -> None:
        """Wait until it is to end, and end it."""
        until(lambda: ["stop", number] in self.answers.words(), f"stop of {number}")
        self.say(f"ended {number} 0")

    def number_of_starts(self) -> int:
        """Of all tasks."""
        return sum(words[0] == "start" for words in self.answers.words())


def _is_ended(task: KeptTask) -> bool:
    """Whether it has, as it does without its file once its run has ended."""
    task.end()
    if task._run is not None:
        task.ended(task._run.number, 0)
    return task.is_over


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDaemon]:
    """Without AWS: a task's tables are ready as ``not_ready`` says. Pauses are short."""
    made = FakeDaemon(tmp_path)

    def look(settings: Settings, _: set[str], *, machine: bool = True) -> PreflightReport:
        assert not machine
        found = [error("source-missing", "table", "is not there", "Nothing", "Make it", cause="setup")]
        return PreflightReport(facts=Facts(), findings=found if settings.task_name in made.not_ready else [])

    def write(settings: Settings, slot: Slot, _: Facts, *, worker_id: str) -> Path:
        assert worker_id == "host-1-0"  # all tasks bear it
        (slot.directory / SETTINGS_FILE).unlink(missing_ok=True)
        (slot.directory / SETTINGS_FILE).write_bytes(msgspec.json.encode(settings))
        (slot.directory / SETTINGS_FILE).chmod(0o600)
        return slot.directory / "daemon.properties"

    monkeypatch.setattr(kept_task, "look_at", look)
    monkeypatch.setattr(kept_task, "write_files", write)
    monkeypatch.setattr(kept_task, "TASK", RetryPolicy(first_pause_seconds=0.1, longest_pause_seconds=0.2))
    monkeypatch.setattr(keeper_module, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(task_watch, "SETTLED_SECONDS", 0.1)
    yield made
    made.end()


def test_each_task_is_begun_and_ended_with_its_file(fake: FakeDaemon) -> None:
    """The others hear nothing of it; a file that is written anew with the same settings is no change."""
    fake.task("a")
    fake.task("b")
    fake.start()
    number = fake.started("b")[1]
    fake.started("a")
    fake.task("c")
    fake.started("c")
    fake.task("b")
    (fake.conf / "b.properties").unlink()
    fake.stopped(number)
    fake.task("b")
    assert fake.started("b", times=2)[1] != number
    fake.task("a", batchSize="7")
    fake.stopped(fake.started("a")[1])
    fake.started("a", times=2)
    assert fake.number_of_starts() == 5


def test_one_that_goes_and_comes_back_waits_for_its_own_end(fake: FakeDaemon) -> None:
    """Two of one task side by side would have two folders and two worker ids."""
    fake.task("a")
    fake.start()
    _, number, _, properties, _ = fake.started("a")
    (fake.conf / "a.properties").rename(fake.conf / "other.properties")
    until(lambda: ["stop", number] in fake.answers.words(), "stop")
    fake.task("b")
    fake.started("b")
    assert fake.number_of_starts() == 2
    fake.say(f"ended {number} 0")
    assert fake.started("other")[3] == properties


def test_one_that_ends_by_itself_is_begun_again(fake: FakeDaemon, events: Events) -> None:
    """After a pause, and its end is said."""
    fake.task("a")
    fake.task("b")
    fake.start()
    fake.started("b")
    for times in (1, 2, 3):
        fake.say(f"ended {fake.started('a', times)[1]} 5")
    fake.started("a", times=4)
    assert [event.fields["status"] for event in events() if event.name == "task_ended"] == [5, 5, 5]
    assert fake.number_of_starts() == 5


def test_one_that_is_not_ready_is_said_once_and_tried_again(fake: FakeDaemon, events: Events) -> None:
    """With all that is wrong in one message."""
    fake.not_ready.add("a")
    fake.task("a")
    fake.task("b")
    fake.task("c", batchSize="rubbish")
    fake.start()
    fake.started("b")
    until(lambda: len([event for event in events() if event.name == "task_not_begun"]) == 2, "both said")
    said = {event.fields["task"]: event.fields["note"] for event in events() if event.name == "task_not_begun"}
    assert said["a"].startswith("table: is not there. Nothing. Make it. Nothing of this task is replicated")
    assert "batchSize" in said["c"]
    assert f"{fake.conf}/c.properties:" in said["c"]
    fake.not_ready.clear()
    fake.started("a")
    fake.task("c")
    fake.started("c")
    assert len([event for event in events() if event.name == "task_not_begun"]) == 2


@pytest.mark.parametrize("changed", [{"batchSize": "rubbish"}, {"logFormat": "json"}])
def test_one_that_runs_goes_on_beside_an_unusable_file(
    changed: dict[str, str], fake: FakeDaemon, events: Events
) -> None:
    """It is better than nothing; the same settings in a good file are then no change."""
    fake.task("a")
    fake.start()
    fake.started("a")
    fake.task("a", **changed)
    until(lambda: any(event.name == "task_file_unusable" for event in events()), "said")
    fake.task("a")
    fake.task("b")
    fake.started("b")
    assert [words[0] for words in fake.answers.words()] == ["start", "start"]


def test_a_two_way_task_is_two_that_come_and_go_with_one_file(fake: FakeDaemon) -> None:
    """Each ends, fails and begins again alone; both change with the file, and both go with it."""
    fake.two_way.add("a")
    fake.task("a")
    fake.start()
    mirror, uplink = fake.started("a"), fake.started("a-Uplink")
    assert [unquote(words[3]) for words in (mirror, uplink)] == [
        str(fake.logs / name / "daemon.properties") for name in ("a", "a-Uplink")
    ]
    fake.say(f"ended {uplink[1]} 5")
    uplink = fake.started("a-Uplink", times=2)
    fake.task("a", batchSize="7")
    fake.stopped(mirror[1])
    fake.stopped(uplink[1])
    mirror, uplink = fake.started("a", times=2), fake.started("a-Uplink", times=3)
    (fake.conf / "a.properties").unlink()
    fake.stopped(mirror[1])
    fake.stopped(uplink[1])
    assert fake.number_of_starts() == 5


def test_both_directions_go_on_beside_an_unusable_file(fake: FakeDaemon, events: Events) -> None:
    """Nobody knows then whether it still is two-way."""
    fake.two_way.add("a")
    fake.task("a")
    fake.start()
    fake.started("a")
    fake.started("a-Uplink")
    fake.task("a", batchSize="rubbish")
    until(lambda: len([each for each in events() if each.name == "task_file_unusable"]) == 2, "both said")
    fake.task("b")
    fake.started("b")
    assert [words[0] for words in fake.answers.words()] == ["start", "start", "start"]


def test_a_task_that_is_two_way_no_more(fake: FakeDaemon, events: Events) -> None:
    """Its uplink ends, and the mirror begins anew as a task of one direction."""
    fake.two_way.add("a")
    fake.task("a")
    fake.start()
    mirror, uplink = fake.started("a"), fake.started("a-Uplink")
    fake.two_way.clear()
    fake.task("a", batchSize="7")
    fake.stopped(mirror[1])
    fake.stopped(uplink[1])
    fake.started("a", times=2)
    assert fake.number_of_starts() == 3
    (said,) = [event.fields["note"] for event in events() if event.name == "task_removed"]
    assert said.startswith("twoWay is true no more")


@pytest.mark.usefixtures("locked")
def test_the_next_keeper_takes_over_both_directions(fake: FakeDaemon) -> None:
    """Both run on as they are."""
    fake.two_way.add("a")
    fake.task("a")
    fake.start()
    running = [fake.started("a"), fake.started("a-Uplink")]
    fake.task("b")
    fake.start(*(f"running {number} {properties} {file}" for _, number, _, properties, file in running))
    fake.started("b")
    assert [words[0] for words in fake.answers.words()] == ["start"]


@pytest.mark.usefixtures("locked")
def test_the_next_keeper_takes_over_what_runs(fake: FakeDaemon) -> None:
    """With the same settings it is left alone; with others, or without a file, it is ended."""
    for name in ("same", "other", "gone"):
        fake.task(name)
    fake.start()
    running = {name: fake.started(name) for name in ("same", "other", "gone")}
    fake.task("other", batchSize="7")
    (fake.conf / "gone.properties").unlink()
    fake.start(*(f"running {number} {properties} {file}" for _, number, _, properties, file in running.values()))
    fake.stopped(running["other"][1])
    fake.stopped(running["gone"][1])
    assert int(fake.started("other")[1]) > 3
    assert unquote(fake.started("other")[3]) == str(fake.logs / "other" / "daemon.properties")
    assert [words for words in fake.answers.words() if words[1:] == [running["same"][1]]] == []
    assert fake.number_of_starts() == 1


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first keeper's slots count as free, as if its process had ended."""
    monkeypatch.setattr(slot.fcntl, "flock", lambda *_: None)


@pytest.mark.parametrize(
    "line", ["", "ended", "ended x 0", "ended 7 0 0", "running", "running 7 /only/one", "running x y z"]
)
def test_a_line_that_can_not_be_understood_ends_no_keeper(line: str, fake: FakeDaemon, events: Events) -> None:
    """It is said, and the lines and files after it are seen to."""
    fake.task("a")
    fake.start()
    number = fake.started("a")[1]
    fake.say(line or " ")
    fake.say(f"ended {number} 5")
    fake.started("a", times=2)
    said = [event.fields for event in events() if event.name == "thread_failed"]
    assert [fields["line"] for fields in said] == [line]


def test_no_fault_of_a_look_ends_the_keeper(fake: FakeDaemon, events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once, and what changed meanwhile is taken over when it is over; ends are heard all the time."""
    fake.task("a")
    fake.start()
    number = fake.started("a")[1]

    def fail(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("links that go round")

    with monkeypatch.context() as faulty:
        faulty.setattr(keeper_module.neighbours, "with_findings", fail)
        fake.task("b")
        until(lambda: any(event.name == "thread_failed" for event in events()), "said")
        fake.say(f"ended {number} 5")
        fake.started("a", times=2)
    fake.started("b")
    (said,) = [event.fields for event in events() if event.name == "thread_failed"]
    assert said["error"] == "RuntimeError('links that go round')"


def test_a_directory_that_can_not_be_looked_at_ends_no_task(
    fake: FakeDaemon, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file server that is away: tasks go on, and files are followed again afterwards."""
    fake.task("a")
    fake.start()
    fake.started("a")
    is_dir = Path.is_dir

    def stale(path: Path) -> bool:
        if path == fake.conf:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return is_dir(path)

    with monkeypatch.context() as away:
        away.setattr(Path, "is_dir", stale)
        until(lambda: any(event.name == "tasks_unreadable" for event in events()), "said")
    fake.task("b")
    fake.started("b")
    assert [words[0] for words in fake.answers.words()] == ["start", "start"]


def test_what_is_no_file_keeps_no_task_waiting(fake: FakeDaemon, events: Events) -> None:
    """Opening a named pipe waits for its writer, a file without end is parsed for ever, and links may go round."""
    os.mkfifo(fake.conf / "pipe.properties")
    with (fake.conf / "large.properties").open("wb") as file:
        file.truncate(2**40)
    (fake.conf / "loop.properties").symlink_to("loop.properties")
    (fake.logs.parent / "round").symlink_to("round")
    fake.task("a")
    fake.task("b", logDirectory=str(fake.logs.parent / "round"))
    fake.start()
    fake.started("a")
    fake.task("c")
    fake.started("c")
    until(lambda: len([each for each in events() if each.name == "task_not_begun"]) >= 4, "each is said")
    said = {event.fields["task"]: event.fields["note"] for event in events() if event.name == "task_not_begun"}
    assert set(said) == {"pipe", "large", "loop", "b"}
    assert "is no file" in said["pipe"]
    assert "more than 1 MB" in said["large"]
