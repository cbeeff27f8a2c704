"""The pages of a first hour, typed as they stand: a trial on this machine, and a cutover with a way back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import javaproperties
import pytest

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.demo.workload import create_table, scan
from processor.startup import java
from tests.fakes.patience import PATIENCE_SECONDS, until

_BLOCK = re.compile(r"^( *)```\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def _blocks(page: str) -> list[str]:
    """A page's blocks, as they stand there."""
    return [re.sub(f"^{match[1]}", "", match[2], flags=re.MULTILINE) for match in _BLOCK.finditer(_text(page))]


def _text(page: str) -> str:
    return (java.ROOT / "docs" / page).read_text()


class Shell:
    """A user's terminals, in a folder with run.sh and properties files, and the server that these name.

    :ivar server: listens where the pages say 8000
    """

    def __init__(self, folder: Path, server: DynamoDBLocal) -> None:
        self.folder = folder
        self.server = server
        self.client: Any = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=server.endpoint)
        self._running: list[subprocess.Popen[str]] = []
        (folder / "run.sh").symlink_to(java.ROOT / "run.sh")
        (folder / "properties").mkdir()
        self.write("properties/trial.properties", (java.ROOT / "properties/trial.properties").read_text())
        shutil.copy(java.ROOT / "properties/replication.properties", folder / "properties")
        self._environment = os.environ | {"REPLICATION_LOG_DIRECTORY": str(folder / "logs")}

    def write(self, name: str, text: str) -> None:
        """A properties file, of this server."""
        (self.folder / name).write_text(text.replace(":8000", f":{self.server.port}"))

    def run(self, block: str, *, status: int = 0) -> str:
        """Type a block's lines; the last one ends with this status, all others with 0. Returns what was printed."""
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert ended.returncode == status, f"{block}\n{ended.stdout}"
        return ended.stdout

    def begin(self, block: str) -> subprocess.Popen[str]:
        """Type the one line of a block, in a terminal of its own."""
        words = block.split("#", maxsplit=1)[0].split()
        with (self.folder / f"console-{len(self._running)}.log").open("w") as console:
            started = subprocess.Popen(
                words, cwd=self.folder, env=self._environment, stdout=console, stderr=console, text=True
            )
        self._running.append(started)
        return started

    def console(self, number: int = -1) -> str:
        """What a replication has printed."""
        return (self.folder / f"console-{number % len(self._running)}.log").read_text()

    def end(self) -> None:
        """Kill what a failing test leaves behind."""
        for each in self._running:
            if each.poll() is None:
                each.kill()
                each.wait()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """With a server of its own, since the pages name their tables."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "trial")
    folder = tmp_path / "checkout"
    folder.mkdir()
    with DynamoDBLocal(log=tmp_path / "server.log") as server:
        made = Shell(folder, server)
        yield made
        made.end()


def _put(client: Any, table: str, *keys: str) -> None:
    for key in keys:
        client.put_item(TableName=table, Item={"id": {"S": key}, "total": {"N": "9.50"}})


def test_the_trial_leads_from_nothing_to_a_replica(shell: Shell) -> None:
    """docs/trial.md, typed as it stands, on a server that has no table but one."""
    credentials, _, begin, replicate, look = _blocks("trial.md")
    assert "AWS_ACCESS_KEY_ID=trial" in shell.run(f"{credentials}env")
    create_table(shell.client, "orders", stream=False)
    _put(shell.client, "orders", "1")
    said = shell.run(begin)
    assert "ready: copy will make the destination and turn the stream on" in said
    assert "Copied 1 items" in said
    running = shell.begin(replicate)
    _put(shell.client, "orders", "2", "3")
    until(lambda: scan(shell.client, "orders") == scan(shell.client, "orders-copy"), "the copies")
    until(lambda: "healthy, running" in shell.run("./run.sh status properties/trial.properties || true"), "health")
    assert "healthy, running" in shell.run(look)
    running.send_signal(signal.SIGINT)
    assert running.wait(PATIENCE_SECONDS) == 0
    assert re.search(r"daemon_stopped records=2 ", shell.console())
    shown = [line for line in shell.console().splitlines() if line.startswith(("Replicating ", "  "))]
    sample = next(block for block in _blocks("index.md") if "Replicating orders" in block).splitlines()[1:5]
    assert [re.split(r"[ :]+", line.strip())[0] for line in shown] == [line.split()[0] for line in sample]


def test_a_cutover_has_a_way_back(shell: Shell) -> None:
    """docs/cutover.md, step by step: nothing is lost on the way there, and nothing on the way back."""
    before, back, wait, compare, stopped, copy_back, replicate_back = _blocks("cutover.md")
    places = f"sourceEndpoint = {shell.server.endpoint}\ndestinationEndpoint = {shell.server.endpoint}\n"
    ours = javaproperties.loads((shell.folder / "properties/trial.properties").read_text())
    shell.write("orders.properties", javaproperties.dumps({**ours, "taskName": "there"}, timestamp=False))
    shell.write("back.properties", f"{back}\n{places}dontPublishCloudwatch = true\n".replace("eu-west-1", "us-east-1"))
    create_table(shell.client, "orders", stream=False)
    _put(shell.client, "orders", *map(str, range(20)))
    shell.run("./run.sh copy orders.properties")
    there = shell.begin("./run.sh orders.properties")
    _put(shell.client, "orders", "written before the switch")
    until(lambda: shell.run("./run.sh status orders.properties >/dev/null && echo well || true") != "", "health")
    shell.run(before)
    shell.run(wait)
    assert scan(shell.client, "orders") == scan(shell.client, "orders-copy")
    shell.run(compare)
    there.terminate()
    assert there.wait(PATIENCE_SECONDS) == 0
    assert "stopped" in shell.run(stopped, status=1)
    shell.run(copy_back)
    back_again = shell.begin(replicate_back)
    _put(shell.client, "orders-copy", "written after the switch")
    until(lambda: "written after the switch" in scan(shell.client, "orders"), "the way back")
    assert scan(shell.client, "orders") == scan(shell.client, "orders-copy")
    back_again.terminate()
    assert back_again.wait(PATIENCE_SECONDS) == 0
