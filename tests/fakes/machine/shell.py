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
from processor.commands.demo.dynamodb_local import free_port
from processor.startup import java
from tests import pages
from tests.fakes.dynamodb.local_server import Server
from tests.fakes.patience import PATIENCE_SECONDS, until

_REPLICATES = re.compile(rf"^\S*/run\.sh (?!(?:{'|'.join(COMMANDS)})\b)\S+(?: --task \S+)?$")
# What runs until it is stopped: a replication, and whoever looks on.
_UNTIL_STOPPED = re.compile(rf"{_REPLICATES.pattern}|^\./run\.sh console .*$|^tail -f .*$")
# A page's port: in an address, or as an option of ours.
_PORT = re.compile(r"(?<=:)\d{4}\b|(?<=--port )\d+")


class Shell:
    """A user's terminals, in a folder with run.sh and properties files, and the server that these name.

    :ivar server: listens where the pages say 8000
    :ivar ports: those that the pages name, and free ones here; a console without one takes any that is free
    :ivar left: blocks of the pages that were opened, and not typed yet
    """

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self.client: Any = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=server.endpoint)
        self.left: list[str] = []
        self.ports = {"8000": server.port} | {port: free_port() for port in ("9000", "9404")}
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._consoles: list[tuple[str, Path]] = []
        (folder / "run.sh").symlink_to(java.ROOT / "run.sh")
        (folder / "properties").mkdir()
        self.write("properties/trial.properties", (java.ROOT / "properties/trial.properties").read_text())
        shutil.copy(java.ROOT / "properties/replication.properties", folder / "properties")
        self._environment = os.environ | {"REPLICATION_LOG_DIRECTORY": str(folder / "logs")}
        self._environment["PATH"] += f":{java.ROOT / '.aws-cli/bin'}"

    def write(self, name: str, text: str) -> None:
        """A properties file, of this server."""
        (self.folder / name).write_text(self._here(text))

    def _here(self, text: str) -> str:
        """With the ports that are free here."""
        text = _PORT.sub(lambda found: str(self.ports.get(found[0], found[0])), text)
        return re.sub(r"(run\.sh console (?!.*--port)\S+)", r"\1 --port 0", text)

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
            if _REPLICATES.match(line):
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
        """Type a block, whose last line is the one that runs until it is stopped, in a terminal of its own."""
        self._tick_off(block)
        *before, last = self._here(block).splitlines()
        path = self.folder / f"console-{len(self._consoles)}.log"
        with path.open("w") as console:
            started = subprocess.Popen(
                ["bash", "-euc", "\n".join([*before, f"exec {last}"])],
                cwd=self.folder,
                env=self._environment,
                stdout=console,
                stderr=console,
                text=True,
            )
        line = _bare(block.splitlines()[-1])
        self._running[line] = started
        self._consoles.append((line, path))
        return started

    def process(self, line: str) -> int:
        """The id of what a line has begun."""
        return self._running[line].pid

    def ended(self, line: str) -> None:
        """Wait until what a line has begun has ended, and well."""
        assert self._running.pop(line).wait(PATIENCE_SECONDS) == 0, line

    def console(self, number: int = -1) -> str:
        """What a replication has printed."""
        return self._consoles[number][1].read_text()

    def console_of(self, beginning: str) -> str:
        """What the terminal shows whose line begins so."""
        return next(path for line, path in self._consoles if line.startswith(beginning)).read_text()

    def has(self, program: str) -> bool:
        """Whether it is on the PATH."""
        return shutil.which(program, path=self._environment["PATH"]) is not None

    def set(self, name: str, value: str) -> None:
        """A variable of the user's own."""
        self._environment[name] = value

    def program(self, name: str, text: str) -> None:
        """A program of the user's own, which the environment names as such."""
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)
        self.set(name.upper(), str(self.folder / name))

    def stop(self) -> None:
        """Ctrl-C in each terminal: what replicates ends well."""
        for line, each in self._running.items():
            assert each.poll() is None, line
            each.send_signal(signal.SIGINT)
        for line, each in self._running.items():
            status = each.wait(PATIENCE_SECONDS)
            assert not ("run.sh " in line and status), line

    def end(self) -> None:
        """Kill what a failing test leaves behind."""
        for each in self._running.values():
            if each.poll() is None:
                each.kill()
                each.wait()


def _bare(line: str) -> str:
    """A line without its comment."""
    return line.partition("  #")[0].strip()
