"""What runs each command. Its modules are imported only when it runs: those of the others would take 0.1 to 0.2 s."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from processor.cli.registry import REPLICATE
from processor.commands.check.options import CheckOptions
from processor.commands.console.options import ConsoleOptions
from processor.commands.copy.options import CopyOptions
from processor.commands.policy.options import PolicyOptions
from processor.commands.preview.options import PreviewOptions
from processor.commands.redrive.options import RedriveOptions
from processor.commands.replicate.options import ReplicateOptions
from processor.commands.status.options import StatusOptions
from processor.commands.unmark.options import UnmarkOptions
from processor.commands.verify.options import VerifyOptions
from processor.settings.named_task import NamedTask
from processor.settings.settings import Settings
from processor.settings.task_watch import TaskWatch


def _check(found: Settings, options: CheckOptions) -> int:
    from processor.commands.check import command

    return command.run(found, options)


def _copy(found: Settings, options: CopyOptions) -> int:
    from processor.commands.copy import command

    return command.run(found, options)


def _policy(found: Settings, options: PolicyOptions) -> int:
    from processor.commands.policy import command

    return command.run(found, options)


def _preview(found: Settings, options: PreviewOptions) -> int:
    from processor.commands.preview import command

    return command.run(found, options)


def _redrive(found: Settings, options: RedriveOptions) -> int:
    from processor.commands.redrive import command

    return command.run(found, options)


def _replicate(found: Settings, _: ReplicateOptions) -> NoReturn:
    from processor.commands.replicate import command

    command.run(found)


def _status(found: Settings, options: StatusOptions) -> int:
    from processor.commands.status import command

    return command.run(found, options)


def _unmark(found: Settings, options: UnmarkOptions) -> int:
    from processor.commands.unmark import command

    return command.run(found, options)


def _verify(found: Settings, options: VerifyOptions) -> int:
    from processor.commands.verify import command

    return command.run(found, options)


def consoles(tasks: Sequence[NamedTask], options: ConsoleOptions, files: TaskWatch | None) -> int:
    """Run the console of one or many tasks.

    :param files: their files, where more may come; None for those that there are
    """
    from processor.commands.console import command

    return command.run(tasks, options, files=files)


def _policies(tasks: Sequence[NamedTask], options: PolicyOptions) -> int:
    from processor.commands.policy import many

    return many.run(tasks, options)


def _statuses(tasks: Sequence[NamedTask], options: StatusOptions) -> int:
    from processor.commands.status import many

    return many.run(tasks, options)


# Those that don't do the same with one task after the other.
RUN_MANY: Mapping[str, Callable[[Sequence[NamedTask], Any], int]] = {
    "policy": _policies,
    "status": _statuses,
}

# Each function takes the object that its command's ``Command.takes`` makes.
RUN: Mapping[str, Callable[[Settings, Any], int]] = {
    REPLICATE.name: _replicate,
    "check": _check,
    "copy": _copy,
    "policy": _policy,
    "preview": _preview,
    "redrive": _redrive,
    "status": _status,
    "unmark": _unmark,
    "verify": _verify,
}
