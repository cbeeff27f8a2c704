"""A user's terminals, in which the pages' blocks of commands are typed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import boto3

from processor.cli.registry import COMMANDS
from processor.startup import java
from tests import pages
from tests.fakes.dynamodb.local_server import Server
from tests.fakes.patience import PATIENCE_SECONDS, until

# What runs until it is stopped: a replication, and whoever looks on.
_UNTIL_STOPPED = re.compile(rf"^(?:\./run\.sh (?!(?:{'|'.join(COMMANDS)})\b)\S+(?: --task \S+)?|tail -f .*)$")


class Shell:
    """A user's terminals, in a folder with run.sh and properties files, and the server that these name.

    :ivar server: listens where the pages say 8000
    :ivar left: blocks of the pages that were opened, and not typed yet
    """

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self.client: Any = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=server.endpoint)
        self.left: list[str] = []
        self._running: dict[str, subprocess.Popen[str]] = {}
        (folder / "run.sh").symlink_to(java.ROOT / "run.sh")
        (folder / "properties").mkdir()
        self.write("properties/trial.properties", (java.ROOT / "properties/trial.properties").read_text())
        shutil.copy(java.ROOT / "properties/replication.properties", folder / "properties")
        self._environment = os.environ | {"REPLICATION_LOG_DIRECTORY": str(folder / "logs")}

    def write(self, name: str, text: str) -> None:
        """A properties file, of this server."""
        (self.folder / name).write_text(self._here(text))

    def _here(self, text: str) -> str:
        """With this server's port."""
        return text.replace(":8000", f":{self.server.port}")

    def page(self, name: str) -> list[str]:
        """A page's blocks that are to be typed."""
        found = [block.text for block in pages.typed(name)]
        self.left += found
        return found

    def type(self, block: str) -> str:
        """Type a block's lines, each replication in a terminal of its own, if it doesn't run there already.

        :returns: what was printed by all but those
        """
        printed = ""
        for is_begun, lines in groupby(
            block.splitlines(keepends=True), lambda line: bool(_UNTIL_STOPPED.match(_bare(line)))
        ):
            if is_begun:
                for line in lines:
                    if _bare(line) not in self._running:
                        self.begin(line)
                self._healthy()
            else:
                printed += self.run("".join(lines))
        self._tick_off(block)
        return printed

    def _healthy(self) -> None:
        """Until all that replicates is well."""
        for line in self._running:
            if line.startswith("./run.sh "):
                file = line.split()[1]
                until(lambda file=file: self.run(f"./run.sh status {file} >/dev/null && echo well || true"), "health")

    def _tick_off(self, block: str) -> None:
        with suppress(ValueError):
            self.left.remove(block)

    def run(self, block: str, *, status: int = 0) -> str:
        """Type a block's lines; the last one ends with this status, all others with 0. Returns what was printed."""
        self._tick_off(block)
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._here(block)],
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
        self._tick_off(block)
        with (self.folder / f"console-{len(self._running)}.log").open("w") as console:
            started = subprocess.Popen(
                ["bash", "-c", f"exec {block}"],
                cwd=self.folder,
                env=self._environment,
                stdout=console,
                stderr=console,
                text=True,
            )
        self._running[_bare(block)] = started
        return started

    def console(self, number: int = -1) -> str:
        """What a replication has printed."""
        return (self.folder / f"console-{number % len(self._running)}.log").read_text()

    def console_of(self, beginning: str) -> str:
        """What the terminal shows whose line begins so."""
        return self.console(next(number for number, line in enumerate(self._running) if line.startswith(beginning)))

    def program(self, name: str, text: str) -> None:
        """A program of the user's own, which the environment names as such."""
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)
        self._environment[name.upper()] = str(self.folder / name)

    def stop(self) -> None:
        """Ctrl-C in each terminal: what replicates ends well."""
        for line, each in self._running.items():
            assert each.poll() is None, line
            each.send_signal(signal.SIGINT)
        for line, each in self._running.items():
            status = each.wait(PATIENCE_SECONDS)
            assert not (line.startswith("./run.sh ") and status), line

    def end(self) -> None:
        """Kill what a failing test leaves behind."""
        for each in self._running.values():
            if each.poll() is None:
                each.kill()
                each.wait()


def _bare(line: str) -> str:
    """A line without its comment."""
    return line.partition("  #")[0].strip()
