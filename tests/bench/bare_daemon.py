"""``./run.sh`` with a child that only answers: what reading the stream costs, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from processor.cli import main
from processor.startup import daemon

_properties = daemon.properties


def _with_bare_child(*given: Any, **named: Any) -> dict[str, str]:
    executable = f"./{Path(sys.executable).name} -I -m tests.bench.bare_child"
    made = {**_properties(*given, **named), "executableName": executable}
    del made["nurseryExecutable"]
    return made


if __name__ == "__main__":
    daemon.properties = _with_bare_child
    sys.exit(main.console())
