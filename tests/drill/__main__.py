"""``./test.sh drill``: docs/drill.md, typed from top to bottom as an operator types it, on two servers of this machine.

Each block is typed word by word, but for the ports, which are free ones; what the page shows below a command must come,
its numbers too. Ends with 5 if a step shows something else; what the terminal showed is then printed and kept.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from processor.commands.demo.dynamodb_local import free_port
from processor.startup import java
from tests import pages
from tests.drill.steps import Step, steps
from tests.drill.terminal import NotShownError, Terminal
from tests.fakes.patience import PATIENCE_SECONDS

_PORTS = ("18000", "18001")
# What of the operator's would lead elsewhere, or into another folder.
_ENVIRONMENT = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "COLUMNS": "130"}


def main() -> int:
    """Type the page; returns the exit status."""
    parser = argparse.ArgumentParser(prog="./test.sh drill", description=__doc__)
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS, metavar="SECONDS", help="for what is shown")
    parser.add_argument("--go-on", action="store_true", help="past a step that shows something else")
    given = parser.parse_args()
    if shutil.which("aws") is None:
        parser.error("the AWS command line is not on the PATH")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that what was begun ends
    folder = _checkout()
    environment = _ENVIRONMENT | {"REPLICATION_LOG_DIRECTORY": str(folder / "logs")}
    ports = {port: free_port() for port in _PORTS}
    failures = 0
    began = time.monotonic()
    with Terminal(folder, ports=ports, environment=environment) as terminal:
        for step in _steps(folder, terminal):
            first = step.command.strip().splitlines()[0]
            sys.stdout.write(f"{time.monotonic() - began:4.0f} s  $ {first}\n")
            sys.stdout.flush()
            try:
                terminal.follow(step, seconds=given.patience)
            except NotShownError as error:
                failures += 1
                sys.stdout.write(f"{error}\n")
                if not given.go_on:
                    break
    if failures:
        sys.stdout.write(f"docs/drill.md is wrong, or what it drills: all that was shown is in {folder}/screen.log.\n")
        return 5
    sys.stdout.write(f"All steps of docs/drill.md show what the page says; {time.monotonic() - began:.0f} s.\n")
    shutil.rmtree(folder)
    return 0


def _checkout() -> Path:
    """A fresh folder that has of this checkout what an operator's has."""
    folder = Path(tempfile.mkdtemp(prefix="drill-"))
    for name in ("run.sh", "setup.sh", "jars"):
        (folder / name).symlink_to(java.ROOT / name)
    return folder


def _steps(folder: Path, terminal: Terminal) -> Iterator[Step]:
    """The page's, in its order; its properties files are written where they stand."""
    typed = {block.text for block in pages.typed("drill.md")}
    for block in pages.fenced(java.ROOT / "docs/drill.md"):
        if block.text in typed:
            yield from steps(block.text)
        elif name := re.match(r"# (\w+\.properties)\n", block.text):
            (folder / name[1]).write_text(terminal.here(block.text))


if __name__ == "__main__":
    sys.exit(main())
