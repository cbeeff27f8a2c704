"""Every command with several tasks of one directory, on tables of DynamoDB Local."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import javaproperties
import msgspec
import pytest

from processor.cli.main import main
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.replication.dead_letters.file_store import append_line
from processor.replication.dead_letters.letter import encode
from processor.startup import java
from tests.conftest import REGION, Tables
from tests.fakes.machine.as_process import as_process
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.fakes.task.letters import letter
from tests.protocol.conftest import item

FOR = ("--for", "status", "--caller", "arn:aws:iam::123456789012:role/replicator")


class Directory:
    """Tasks in a directory, with what they have in common in its common file, and commands with them."""

    def __init__(self, path: Path, tables: Tables, endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self.tables, self._capsys = path, tables, capsys
        path.mkdir()
        self.write(
            "common",
            sourceRegion=REGION,
            destinationRegion=REGION,
            sourceEndpoint=endpoint,
            destinationEndpoint=endpoint,
            dontPublishCloudwatch="true",
            failoverTimeMillis="500",
            logDirectory=str(path.parent / "logs"),
        )

    def write(self, name: str, **settings: str) -> Path:
        """One file of it."""
        file = self.path / f"{name}.properties"
        file.write_text(javaproperties.dumps(settings, timestamp=False))
        return file

    def task(self, name: str, items: int = 2, **more: str) -> tuple[str, str]:
        """A task of its own, with that many items at the source, and the names of its tables."""
        source, destination = self.tables.create(), self.tables.create()
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        self.tables.call("UpdateTable", TableName=source, StreamSpecification=stream)
        for number in range(items):
            self.tables.put(source, item(f"{name}-{number}"))
        self.write(name, sourceTable=source, destinationTable=destination, **more)
        return source, destination

    def run(self, command: str, *words: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error, with this directory."""
        status = main([command, str(self.path), *words])
        return status, *self._capsys.readouterr()

    def alone(self, command: str, file: str | Path, *words: str) -> tuple[int, str, str]:
        """The same with one file."""
        status = main([command, str(file), *words])
        return status, *self._capsys.readouterr()

    def list(self, command: str, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Exit status, and the elements of ``--json``, by their tasks' names in the list's order."""
        status, said, _ = self.run(command, "--json", *words)
        elements = json.loads(said)
        assert [each["file"] for each in elements] == [f"{self.path}/{each['task']}.properties" for each in elements]
        return status, {each["task"]: each for each in elements}


@pytest.fixture
def directory(
    tmp_path: Path, tables: Tables, dynamodb: DynamoDBLocal, capsys: pytest.CaptureFixture[str]
) -> Iterator[Directory]:
    """Without tasks; the process's signals and log are afterwards as they were."""
    with as_process():
        yield Directory(tmp_path / "conf", tables, dynamodb.endpoint, capsys)


def test_a_directory_is_copied_and_verified(directory: Directory) -> None:
    """Each task with its own tables, in the order of the names; rubbish among them stops no other."""
    pairs = {name: directory.task(name, items=number) for number, name in enumerate(("b", "c"), 1)}
    directory.write("a", sourceTable="none", destinationTable="too", batchSize="0")
    status, found = directory.list("copy")
    assert (status, [(name, each["exitStatus"]) for name, each in found.items()]) == (
        22,
        [("a", 22), ("b", 0), ("c", 0)],
    )
    assert found["a"]["error"].startswith("batchSize: ")
    assert found["a"]["places"] == {"batchSize": f"{directory.path}/a.properties:3"}
    assert found["a"]["result"]["error"] == found["a"]["error"]
    assert [found[name]["result"]["items"] for name in pairs] == [1, 2]
    for source, destination in pairs.values():
        assert directory.tables.items(source) == directory.tables.items(destination)

    directory.tables.put(pairs["b"][0], item("only here"))
    status, said, errors = directory.run("verify", "--recheck", "0")
    assert status == 22
    assert [line for line in said.splitlines() if line.startswith("== ")] == [
        f"== {directory.path}/a.properties",
        *(
            f"== {directory.path}/{name}.properties: {source} ({REGION}) -> {destination} ({REGION})"
            for name, (source, destination) in pairs.items()
        ),
        "== 3 tasks: 1 something must be put right first, 1 not equal, 1 equal",
    ]
    assert said.endswith(
        f"  22  {directory.path}/a.properties: something must be put right first\n"
        f"   1  {directory.path}/b.properties: not equal\n"
    )
    assert f"        batchSize is given in {directory.path}/a.properties:3\n" in errors
    (directory.path / "a.properties").unlink()
    status, found = directory.list("verify", "--recheck", "0", "--repair")
    assert (status, [each["result"]["repaired"] for each in found.values()]) == (0, [1, 0])
    assert directory.tables.items(pairs["b"][0]) == directory.tables.items(pairs["b"][1])


def test_an_element_has_what_its_file_alone_prints(directory: Directory) -> None:
    """``result`` is the same object, and one task by its name is the same as one file, in its shape, too."""
    for name in ("a", "b"):
        directory.task(name, items=0)
    status, found = directory.list("verify")
    one = directory.run("verify", "--json", "--task", "a")
    assert (status, one[0]) == (0, 0)
    assert isinstance(json.loads(one[1]), dict)
    assert json.loads(one[1]).keys() == found["a"]["result"].keys()
    whole = directory.path.parent / "whole.properties"
    merged = dict(_entries(directory.path / "common.properties")) | dict(_entries(directory.path / "a.properties"))
    whole.write_text(javaproperties.dumps(merged, timestamp=False))
    for command in ("verify", "preview", "status"):
        alone, chosen = (directory.alone(command, whole), directory.run(command, "--task", "a"))
        assert chosen == alone
        assert "== " not in chosen[1]


def _entries(path: Path) -> list[tuple[str, str]]:
    return list(javaproperties.loads(path.read_text()).items())


def test_checks(directory: Directory) -> None:
    """What is wrong with one is under its heading; two with one checkpoint table are both not ready, a third is."""
    for name, more in (("a", {"taskName": "shared"}), ("b", {"taskName": "shared"}), ("c", {})):
        directory.task(name, **more)
    status, found = directory.list("copy")
    assert (status, [each["exitStatus"] for each in found.values()]) == (22, [22, 22, 0])
    for name in ("a", "b"):
        assert [each["id"] for each in found[name]["findings"]] == ["tasks-share-checkpoints"]
        (finding,) = found[name]["findings"]
        for file in ("a", "b"):
            assert f"taskName {directory.path}/{file}.properties:3" in finding["value"]
    status, found = directory.list("check")
    assert (status, [each["exitStatus"] for each in found.values()]) == (22, [22, 22, 0])
    assert found["c"]["result"]["ready"]
    assert "findings" not in found["c"]


def test_dead_letters_of_several(directory: Directory, tmp_path: Path) -> None:
    """A task without a place for them has nothing to redrive, and is no failure."""
    path = tmp_path / "letters.jsonl"
    source, destination = directory.task("a", deadLetterUri=path.as_uri(), taskName="with-letters")
    directory.task("b")
    directory.tables.put(source, item("late"))
    late = msgspec.structs.replace(letter("late", task_name="with-letters", table=destination), region=REGION)
    append_line(path, encode(late))
    status, found = directory.list("redrive")
    assert (status, found["a"]["result"]["applied"], found["b"]["result"]) == (0, 1, None)
    assert item("late") in directory.tables.items(destination)
    assert "No deadLetterUri is set" in directory.run("redrive")[2]


def test_previews(directory: Directory) -> None:
    """Each shows items of its own source."""
    for name in ("a", "b"):
        directory.task(name, items=1)
    status, found = directory.list("preview")
    keys = [each["key"]["id"]["S"] for element in found.values() for each in element["result"]["items"]]
    assert (status, keys) == (0, ["a-0", "b-0"])


def test_transforms_of_one_name(directory: Directory, tmp_path: Path) -> None:
    """Two tasks whose folders have a module of the same name each have their own."""
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "shape.py").write_text(f"def row(item):\n    return item | {{'by': {{'S': '{name}'}}}}\n")
        directory.task(name, items=1, transform="shape:row", transformPath=str(folder))
    status, found = directory.list("preview", "--values")
    assert status == 0
    for name in ("a", "b"):
        assert json.dumps({"S": name}).replace(" ", "") in json.dumps(found[name]["result"]).replace(" ", "")


def test_the_policy_of_all(directory: Directory) -> None:
    """One policy for all three, which has the table of each; with --split one for each, as its file alone has it."""
    pairs = [directory.task(name) for name in ("a", "b", "c")]
    status, said, _ = directory.run("policy", "--json", *FOR)
    (merged,) = json.loads(said)
    assert (status, merged["tasks"], merged["exitStatus"]) == (0, ["a", "b", "c"], 0)
    (policy,) = merged["result"]["policies"]
    named = {resource.split("/")[1] for each in policy["policy"]["Statement"] for resource in each["Resource"]}
    assert {table for pair in pairs for table in pair} <= named
    status, found = directory.list("policy", "--split", *FOR)
    assert (status, list(found)) == (0, ["a", "b", "c"])
    one = json.loads(directory.run("policy", "--json", *FOR, "--task", "b")[1])
    assert found["b"]["result"] == one


def test_status_of_all(directory: Directory) -> None:
    """A line for each, the worst first; what can't be used is said below."""
    for name in ("a", "b"):
        directory.task(name)
    directory.write("c", sourceTable="none", destinationTable="too", batchSize="0")
    status, said, errors = directory.run("status")
    assert status == 22
    lines = said.splitlines()
    assert lines[0] == "3 tasks: 1 unusable, 2 not healthy"
    assert [line.split()[0] for line in lines[1:3]] == ["task", "c"]
    # Which of the two is the worse is a matter of milliseconds of lag.
    assert sorted(line.split()[0] for line in lines[3:]) == ["a", "b"]
    assert all("never started" in line for line in lines[3:])
    assert f"batchSize is given in {directory.path}/c.properties:3" in errors
    status, found = directory.list("status")
    assert [(each["exitStatus"], (each["result"] or {}).get("state")) for each in found.values()] == [
        (1, "never started"),
        (1, "never started"),
        (22, None),
    ]


def test_an_interrupted_command_says_what_it_did_not_reach(directory: Directory, dynamodb: DynamoDBLocal) -> None:
    """Ctrl-C in the second of three: 130, the first is done, the list is whole, and the third is named."""
    for name in ("a", "b", "c"):
        directory.task(name)
    with FaultProxy(dynamodb.endpoint) as proxy:
        proxy.inject(faults.hold())
        directory.write("b", **dict(_entries(directory.path / "b.properties")), sourceEndpoint=proxy.endpoint)
        started = subprocess.Popen(
            [sys.executable, "-m", "processor", "preview", directory.path, "--json"],
            cwd=java.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(lambda: proxy.received, "the second task")
        started.send_signal(signal.SIGINT)
        said, errors = started.communicate(timeout=PATIENCE_SECONDS)
    assert started.returncode == 130
    assert [each["exitStatus"] for each in json.loads(said)] == [0, 130, None]
    assert f"Not reached: {directory.path}/c.properties." in errors


def test_a_watch_fits_the_terminal(directory: Directory) -> None:
    """In 80 columns and 8 rows no line is longer, those without room are counted, and Ctrl-C ends it."""
    for number in range(9):
        directory.task(f"a-task-with-a-rather-long-name-{number}", items=0)
    ours, theirs = pty.openpty()
    os.set_blocking(ours, True)
    started = subprocess.Popen(
        [sys.executable, "-m", "processor", "status", directory.path, "--watch", "1"],
        cwd=java.ROOT,
        env=os.environ | {"COLUMNS": "80", "LINES": "8", "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = b""
    while screen.count(b"more: ") < 2:
        screen += os.read(ours, 65536)
    started.send_signal(signal.SIGINT)
    assert started.wait(PATIENCE_SECONDS) == 1
    os.close(ours)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.decode()).replace("\r", "").split("\n")
    assert max(map(len, shown)) <= 80
    assert any("and 5 more: 5 not healthy" in line for line in shown)
