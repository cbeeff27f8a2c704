"""``./run.sh NAME``, as a user runs it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from processor.reporting import ending
from processor.startup import java
from tests import schemas
from tests.fakes.patience import PATIENCE_SECONDS


def command(
    name: str,
    settings: Mapping[str, str],
    *options: str,
    environment: Mapping[str, str] | None = None,
    root: Path = java.ROOT,
) -> subprocess.Popen[str]:
    """Start it with these settings, from the checkout ``root``."""
    given = [part for setting, value in settings.items() for part in (f"--{setting}", value)]
    return subprocess.Popen(
        [root / "run.sh", name, *given, *options],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_of(started: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit status, standard output, standard error; a report as JSON is held to its schema."""
    try:
        output, errors = started.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        started.kill()
        raise AssertionError(started.communicate()) from None
    words = [str(word) for word in started.args] if isinstance(started.args, list) else []
    was_killed = started.returncode < 0 or (started.returncode > ending.INTERRUPTED and not output)
    if "--json" in words and words[1] in schemas.REPORTS and not was_killed:
        hold = schemas.hold_all if "--watch" in words else schemas.hold
        hold(words[1], output)
    return started.returncode, output, errors
