"""A command with several tasks: what is said, what comes of it in all, and that one ends no other."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import javaproperties
import pytest

from processor.cli import main as cli
from processor.cli import many
from processor.cli.arguments import take_named
from processor.cli.registry import COMMANDS
from processor.commands.check.options import CheckOptions
from processor.errors import DeadLetterError, NotReadyError, UsageError
from processor.reporting import output
from processor.reporting.findings import error
from processor.reporting.task_output import worst
from processor.settings.settings import Settings
from processor.system.signals import Interrupted, Signals
from tests import schemas
from tests.fakes.machine.as_process import as_process
from tests.fakes.task.tasks import REQUIRED

Act = Callable[[Settings], int]


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    with as_process():
        yield


class Tasks:
    """A directory of tasks, and a command whose outcome with each of them is the test's."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self._capsys = path, capsys
        self.acts: dict[str, Act] = {}

    def add(self, name: str, act: Act | int = 0, **changed: str) -> None:
        """A task with tables of its own, and what the command does with it."""
        given = REQUIRED | {"sourceTable": f"source-{name}", "destinationTable": f"table-{name}"} | changed
        (self.path / f"{name}.properties").write_text(javaproperties.dumps(given, timestamp=False))
        self.acts[given["destinationTable"]] = act if callable(act) else lambda _: act

    def run(self, *words: str, as_json: bool = False) -> tuple[int, str, str]:
        """Exit status, and what was printed on both streams."""
        tasks = many.named(take_named([str(self.path), *words]), COMMANDS["check"], environment={})
        status = many.one_by_one(
            tasks,
            COMMANDS["check"],
            CheckOptions(as_json=as_json),
            lambda settings: self.acts[settings.destination_table](settings),
        )
        return status, *self._capsys.readouterr()

    def list(self) -> tuple[int, list[dict[str, Any]], str]:
        """Exit status, the list, and standard error."""
        status, said, errors = self.run(as_json=True)
        return status, json.loads(said), errors


@pytest.fixture
def tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tasks:
    """None yet."""
    return Tasks(tmp_path, capsys)


def _raising(exc: BaseException) -> Act:
    def act(_: Settings) -> int:
        raise exc

    return act


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [([], 0), ([0, 0], 0), ([0, 1], 1), ([1, 5], 5), ([5, 22, 1], 22), ([22, 130], 130), ([130, 143], 143)],
)
def test_the_worst_status_is_the_highest(statuses: list[int], expected: int) -> None:
    """Stopped before what a person must do, that before what may pass, that before a bad answer, that before none."""
    assert worst(statuses) == expected


def test_one_ends_no_other(tasks: Tasks) -> None:
    """Whatever it is: a person's, an outage's, a file's, nobody's; each is said under its heading."""
    tasks.add("a", _raising(NotReadyError("a is not ready.")))
    tasks.add("b", _raising(DeadLetterError("b has no letters.")))
    tasks.add("c", _raising(OSError(28, "No space left", "/f")))
    tasks.add("d", _raising(ZeroDivisionError()))
    tasks.add("e", 0, batchSize="0")
    tasks.add("f", 0)
    status, found, errors = tasks.list()
    assert (status, [each["exitStatus"] for each in found]) == (22, [22, 5, 5, 5, 22, 0])
    assert [each["task"] for each in found] == list("abcdef")
    parts = errors.split("== ")
    assert [part.split(".properties")[0] for part in parts[1:]] == [f"{tasks.path}/{name}" for name in "abcde"]
    for part, words in zip(
        parts[1:], ("a is not", "b has no", "/f: there is no room", "BUG", "batchSize:"), strict=True
    ):
        assert words in part
    assert [each["result"] and each["result"]["error"] for each in found] == [
        *(each["error"] for each in found[:5]),
        None,
    ]


def test_a_failure_says_in_the_list_what_it_says_alone(tasks: Tasks) -> None:
    """Its exit status, message and findings, as the task's result; of one that was not reached there is none."""
    finding = error("stream-off", "stream of source table a", "is off", "Nothing is replicated", "Turn it on")
    not_ready = NotReadyError("a is not ready.")
    not_ready.findings = [finding]
    tasks.add("a", _raising(not_ready))
    tasks.add("b", _raising(DeadLetterError("b has no letters.")))
    tasks.add("c", 130)
    tasks.add("d", _raising(Interrupted(signal.SIGTERM)))
    tasks.add("e", 0)
    _, said, _ = tasks.run(as_json=True)
    schemas.hold("check", said)
    found = json.loads(said)
    for each in found[:4]:
        assert {"ready": False, "exitStatus": each["exitStatus"], "error": each["error"]}.items() <= each[
            "result"
        ].items()
        schemas.hold("failure", json.dumps(each["result"]))
    assert [[one["id"] for one in each["result"]["findings"]] for each in found[:4]] == [["stream-off"], [], [], []]
    assert found[2]["error"].startswith("Stopped before it was through.")
    assert found[3]["error"] == "check was interrupted before it was through."
    assert found[4]["result"] is None


def test_the_list_has_what_each_prints(tasks: Tasks) -> None:
    """What a command prints as JSON is its element's result, whatever comes of it, and standard output is one list."""

    def act(_: Settings) -> int:
        output.json({"ready": False})
        raise NotReadyError("Put it right.")

    tasks.add("a", act)
    tasks.add("b", 0)
    status, found, _ = tasks.list()
    assert status == 22
    assert found[0] == {
        "task": "a",
        "file": f"{tasks.path}/a.properties",
        "exitStatus": 22,
        "result": {"ready": False},
        "error": "Put it right.",
    }
    assert found[1] == {"task": "b", "file": f"{tasks.path}/b.properties", "exitStatus": 0, "result": None}


def test_headings_and_a_sum(tasks: Tasks) -> None:
    """On standard output for each; on standard error, where it is another place, only before something is said."""

    def act(_: Settings) -> int:
        output.say("something")
        output.line("report")
        return 5

    tasks.add("a", act)
    tasks.add("b", 0)
    first, second = (
        f"== {tasks.path}/{name}.properties: source-{name} (eu-west-1) -> table-{name} (us-east-1)\n" for name in "ab"
    )
    total = f"== 2 tasks: 1 not known, 1 ready\n   5  {tasks.path}/a.properties: not known\n"
    assert tasks.run() == (5, f"{first}report\n{second}\n{total}", f"{first}something\n")


def test_what_is_wrong_beside_others_makes_a_check_fail(tasks: Tasks) -> None:
    """Though each would be ready by itself."""
    for name in ("a", "b"):
        tasks.add(name, 0, taskName="shared")
    tasks.add("c", 0)
    status, found, _ = tasks.list()
    assert (status, [each["exitStatus"] for each in found]) == (22, [22, 22, 0])
    assert [[each["id"] for each in one.get("findings", [])] for one in found] == [
        ["tasks-share-checkpoints"],
        ["tasks-share-checkpoints"],
        [],
    ]
    assert "By itself it is ready" in tasks.run()[2]


def test_a_warning_beside_others_keeps_no_task_from_beginning(tasks: Tasks) -> None:
    """More readers of one stream than AWS lets read a shard are said, and each task is as ready as it is."""
    for name in ("a", "b", "c"):
        tasks.add(name, 0, sourceTable="orders")
    assert all("findings" not in each for each in tasks.list()[1])  # they read it as one
    for name in ("a", "b", "c"):
        tasks.add(name, 0, sourceTable="orders", sharedReadsMegabytes="0")
    status, found, errors = tasks.list()
    assert (status, [each["exitStatus"] for each in found]) == (0, [0, 0, 0])
    assert [[each["id"] for each in one["findings"]] for one in found] == 3 * [["tasks-share-stream"]]
    assert "must be put right" not in errors


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("kind", ["at once", "through", "stopped"])
def test_a_signal_ends_all(kind: str, number: signal.Signals, status: int, as_json: bool, tasks: Tasks) -> None:  # noqa: FBT001  # a parameter
    """Be the command one that ends at once, that stops between two steps, or that is through before it looks."""

    def act(_: Settings) -> int:
        if kind == "at once":
            raise Interrupted(number)
        signals = Signals("Stopping.")
        signal.raise_signal(number)
        return 0 if kind == "through" else signals.exit_status

    tasks.add("a", 0)
    tasks.add("b", act)
    tasks.add("c", _raising(AssertionError("It was not to be reached.")))
    tasks.add("d", _raising(AssertionError("It was not to be reached.")))
    ended, said, errors = tasks.run(as_json=as_json)
    assert ended == status
    assert f"check was interrupted. Not reached: {tasks.path}/c.properties, {tasks.path}/d.properties." in errors
    if as_json:
        own = 0 if kind == "through" else status
        assert [each["exitStatus"] for each in json.loads(said)] == [0, own, None, None]
    else:
        assert "2 not reached" in said


def test_nobody_reads_any_more(tasks: Tasks) -> None:
    """A closed pipe is the end of all."""
    tasks.add("a", _raising(BrokenPipeError()))
    tasks.add("b", _raising(AssertionError("It was not to be reached.")))
    with pytest.raises(BrokenPipeError):
        tasks.run()


def test_what_is_wrong_with_all_is_said_once(tasks: Tasks) -> None:
    """As on the command line, or in the common file, with the place."""
    for name in ("a", "b"):
        tasks.add(name, 0)
    with pytest.raises(UsageError, match=r"Unknown setting bathSize. Did you mean batchSize\?"):
        tasks.run("--bathSize", "1")
    common = tasks.path / "common.properties"
    common.write_text("\nbatchSize=0\n")
    with pytest.raises(UsageError, match=rf"batchSize: .* \(batchSize is given in {common}:2\)"):
        tasks.run()
    tasks.add("c", 0, batchSize="1")
    assert [each["exitStatus"] for each in tasks.list()[1]] == [22, 22, 0]


@pytest.mark.parametrize(
    ("words", "environment", "place"),
    [
        (["--batchSize", "0"], {}, "the command line"),
        (["--batchSize=0"], {}, "the command line"),
        (["--maxRecords=0"], {}, "the command line"),
        ([], {"REPLICATION_BATCH_SIZE": "0"}, "the environment, REPLICATION_BATCH_SIZE"),
    ],
)
def test_places_beside_the_files(words: list[str], environment: dict[str, str], place: str, tasks: Tasks) -> None:
    """What wins over the file is named in its place."""
    tasks.add("a", 0, batchSize="5")
    (task,) = many.named(take_named([str(tasks.path), *words]), COMMANDS["check"], environment=environment)
    assert task.places["batchSize"] == place


def test_one_of_them_by_its_name(tasks: Tasks) -> None:
    """With what it inherits; what can't be used is refused with its place."""
    tasks.add("a", 0)
    tasks.add("b", 0, batchSize="x")
    (tasks.path / "common.properties").write_text("batchSize=7\n")

    def chosen(*words: str) -> Settings:
        return many.chosen(take_named([str(tasks.path), *words]), COMMANDS["check"], environment={})

    assert chosen("--task", "a").batch_size == 7
    assert chosen("--batchSize", "8", "--task=a").batch_size == 8
    with pytest.raises(UsageError, match=r"batchSize is given in .*b\.properties:"):
        chosen("--task", "b")
    with pytest.raises(UsageError, match="there is no such task"):
        chosen("--task", "c")
    with pytest.raises(UsageError, match="--task: it needs the name of a task"):
        chosen("--task", "--batchSize", "8")
    with pytest.raises(UsageError, match="no file or directory is named"):
        many.chosen(take_named(["--task", "a"]), COMMANDS["check"], environment={})


def test_what_a_file_lacks_may_be_in_the_common_file(tasks: Tasks, capsys: pytest.CaptureFixture[str]) -> None:
    """Which a file that is named alone doesn't inherit; it is said how it does."""
    file = tasks.path / "a.properties"
    file.write_text("sourceTable=orders\n")
    assert cli.main(["check", str(file)]) == 22
    said = capsys.readouterr().err
    assert said.endswith("or in REPLICATION_SOURCE_REGION.\n")
    (tasks.path / "common.properties").write_text("sourceRegion=eu-west-1\n")
    assert cli.main(["check", str(file)]) == 22
    common = f" {tasks.path}/common.properties is inherited only where its directory is named: {tasks.path} --task a.\n"
    assert capsys.readouterr().err == said[:-1] + common


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify", "{0}", "--output", "x"], "--output is one file, which each task would write over"),
        (["{0}/empty"], "no task. Nothing was done"),
        (["chek", "{0}/a.properties"], "Properties file chek: can't be read"),
        (["check", "{0}/empty"], "no task. Nothing was done"),
    ],
)
def test_usage(words: list[str], message: str, tasks: Tasks, capsys: pytest.CaptureFixture[str]) -> None:
    """What can't be done with several ends with 22 before anything is."""
    tasks.add("a", 0)
    (tasks.path / "empty").mkdir()
    assert cli.main([word.format(tasks.path) for word in words]) == 22
    assert message in capsys.readouterr().err
