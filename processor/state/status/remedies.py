"""The command that mends a finding, to be typed on a machine that has the task's file. Pure.

Not each finding has one: some pass by themselves, and some want something put right that no command of ours can.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import PurePath

from processor.settings.task_file import TaskFile
from processor.system import program

# By the finding's id: what stands before and behind the task's file.
_START = ("", "")
_COPY_AGAIN = ("copy", "--restart --concurrent")
_CHECK = ("check", "")
# A copy goes from hub to spoke, and so over what an uplink has lost; verify lists that before.
_SEE_UNSENT = ("verify", "--output unsent.jsonl --values")
_COMMANDS: Mapping[str, tuple[str, str]] = {
    "daemon-silent": _START,
    "destination-missing": _CHECK,
    "destination-not-active": _CHECK,
    "never-started": _START,
    "not-read": _CHECK,
    "replica-differs": ("verify", ""),
    "replica-refused": _CHECK,
    "shard-held": _CHECK,
    "shard-lost": _COPY_AGAIN,
    "shard-not-written": _CHECK,
    "shards-lost": _COPY_AGAIN,
    "shards-unowned": _START,
    "source-missing": _CHECK,
    "stopped": _START,
    "stream-gone": ("copy", "--restart"),
    "stream-off": _CHECK,
    "stream-replaced": ("copy", "--restart"),
    "verification-differs": ("verify", ""),
    "verification-failed": _CHECK,
}


def of_finding(finding_id: str, file: TaskFile) -> str | None:
    """As ``./run.sh copy orders.properties --restart --concurrent``; None where there is none."""
    words = _COMMANDS.get(finding_id)
    if words is None:
        return None
    name, options = _SEE_UNSENT if file.is_uplink and words[0] == "copy" else words
    return _command(name, file, options)


def of_status(file: TaskFile) -> str:
    """What says how the task stands."""
    return _command("status", file, "")


def of_letters(file: TaskFile) -> str:
    """What brings the keys of dead letters up to date."""
    return _command("redrive", file, "")


def of_copy(file: TaskFile, *, concurrent: bool) -> str:
    """What goes on with a copy."""
    return _command("copy", file, "--concurrent" if concurrent else "")


def _command(name: str, file: TaskFile, options: str) -> str:
    """The command line; a task that inherits is named by its directory, or it would not inherit."""
    named = [file.own_path] if file.own_path else ["FILE"]
    if file.common is not None:
        named = [str(PurePath(file.own_path).parent), "--task", file.of_whole.name]
    return " ".join(filter(None, (program.COMMAND, name, shlex.join(named), options)))
