"""Several tasks: which were named, what is wrong with them, and a command with each of them, one after the other.

A command knows one task; here it is called for each. What it prints stands below a heading, or becomes an element of
``--json``'s list; what ends it ends one task, and the others go on; a signal ends all.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from processor.cli import arguments, registry
from processor.cli.arguments import Named
from processor.cli.command import Command, CommandOptions
from processor.errors import NotReadyError, UsageError
from processor.reporting import ending, output
from processor.reporting.task_output import TaskOutcome, TaskOutput, end_of, worst
from processor.settings import process_settings, task_files
from processor.settings.named_task import NamedTask
from processor.settings.settings import Settings
from processor.settings.task_file import TaskFile
from processor.settings.task_watch import TaskWatch
from processor.startup import neighbours
from processor.system import program
from processor.system.signals import one_after_another
from processor.view.transform import forgotten_afterwards

Run = Callable[[Settings], int]


def named(given: Named, command: Command, *, environment: Mapping[str, str]) -> list[NamedTask]:
    """All tasks that files and directories name, each with its settings or what is wrong with them.

    :raises UsageError: there is none, or the same is wrong with all of them, as on the command line
    """
    load = loader(given, command, environment)
    tasks = [load(file) for file in task_files.find(given.files)]
    errors = {task.error for task in tasks}
    if len(tasks) > 1 and len(errors) == 1 and all(errors):
        raise UsageError(tasks[0].error_with_places)
    process = None
    if command is registry.REPLICATE:
        process = next((process_settings.of(task.settings) for task in tasks if task.settings is not None), None)
    return neighbours.with_findings(tasks, warnings=command.name == "check", process=process)


def chosen(given: Named, command: Command, *, environment: Mapping[str, str]) -> Settings:
    """The settings of the one task that ``--task`` names, as if its file were the only one, with what it inherits.

    :raises UsageError: there is no such task, or its settings can't be used
    """
    assert given.task is not None  # noqa: S101  # else nobody asks
    if not given.files:
        message = f"--task {given.task}: no file or directory is named in which it would be. Name one. See --help."
        raise UsageError(message)
    task = loader(given, command, environment)(task_files.choose(task_files.find(given.files), given.task))
    if task.settings is None:
        raise UsageError(task.error_with_places)
    return task.settings


def loader(given: Named, command: Command, environment: Mapping[str, str]) -> Callable[[TaskFile], NamedTask]:
    """What reads a task's file and the one that it inherits."""
    made = arguments.parser(program.NAME, command.usage, command)

    def load(file: TaskFile) -> NamedTask:
        places: dict[str, str] = {}
        try:
            written = file.read()
            places = {**written.places, **arguments.places(given.settings, environment)}
            settings = arguments.complete(
                arguments=given.settings,
                written={**written.inherited, **written.own},
                environment=environment,
                directory=Path.cwd(),
                log_directory=program.log_directory(environment),
                made=made,
            )
        except UsageError as exc:
            return NamedTask(file=file, error=str(exc), places=places)
        return NamedTask(file=file, settings=settings, places=places)

    return load


def files(
    given: Named, command: Command, environment: Mapping[str, str], *, directories: Sequence[str] | None = None
) -> TaskWatch:
    """What follows the files that are named, as they come, change and go.

    :param directories: those that must be there; None for all that are there now
    """
    if directories is None:
        directories = [path for path in given.files if task_files.is_directory(path)]

    def find() -> Sequence[TaskFile]:
        for directory in directories:
            if not task_files.is_directory(directory):
                message = f"Directory {directory}: is gone. Nothing was done."
                raise UsageError(message)
        found = task_files.list_files(given.files)
        return found if given.task is None else [task_files.choose(found, given.task)]

    return TaskWatch(find, loader(given, command, environment))


def one_by_one(tasks: Sequence[NamedTask], command: Command, options: CommandOptions, run: Run) -> int:
    """Run a command with one task after the other, until all are through or a signal comes.

    :param run: the command with one task
    :returns: the worst exit status
    """
    outcomes: list[TaskOutcome] = []
    rounds = _Round(command, options, run)
    with output.JsonList() if options.as_json else contextlib.nullcontext() as elements:
        for task in tasks:
            outcomes.append(rounds.outcome(task))
            if elements is not None:
                elements.add(outcomes[-1])
    if elements is None:
        output.line()
        for line in sum_of(outcomes, command):
            output.line(line)
    return end_of(outcomes, command=command.name, signal_number=rounds.signal_number)


class _Round:
    """Takes one task after the other, and none any more after a signal."""

    def __init__(self, command: Command, options: CommandOptions, run: Run) -> None:
        self._command = command
        self._options = options
        self._run = run
        self.signal_number = 0

    def outcome(self, task: NamedTask) -> TaskOutcome:
        """What comes of the command with this task."""
        if self.signal_number:
            return task.outcome(None)
        told = TaskOutput(task.heading, as_json=self._options.as_json)
        with output.heard_by(told):
            try:
                with one_after_another() as received, forgotten_afterwards():
                    ended = self._ended(task)
                self.signal_number = received.number
            except KeyboardInterrupt as exc:
                message = f"{self._command.name} was interrupted before it was through."
                ended = ending.Ending(ending.interrupted(exc), message)
                output.say(f"{program.NAME}: {message}")
                self.signal_number = ended.exit_status - ending.INTERRUPTED
            status, message, reasons = ended
            wrong = f"{told.wrong}\n{message}"
            for line in task.where(wrong):
                output.say(f"        {line}")
        return task.outcome(status, result=told.result, message=message, reasons=reasons, wrong=wrong)

    def _ended(self, task: NamedTask) -> ending.Ending:
        """What ended it, said already."""
        for finding in task.findings:
            output.say(*finding.lines)
        if task.settings is None:
            ended = ending.Ending(UsageError.exit_status, task.error)
        elif task.findings and self._command.name == "copy":
            message = "What stands above must be put right first. Nothing was copied."
            ended = ending.Ending(NotReadyError.exit_status, message)
        elif nothing := self._command.has_nothing(task.settings):
            output.say(nothing)
            return ending.Ending(0, "")
        else:
            try:
                status = self._run(task.settings)
            except BrokenPipeError:
                raise  # nobody reads any more, so this is the end of all
            except Exception as exc:  # noqa: BLE001  # as ``main.py``: a message and a status for whatever is left
                ended = ending.of(exc)
            else:
                return ending.of_status(self._beside_others(task, status))
        output.say(f"{program.NAME}: {ended.message}")
        return ended

    def _beside_others(self, task: NamedTask, status: int) -> int:
        """The exit status of a check, which knows one task, with what was found beside the others."""
        if not task.errors or self._command.name != "check":
            return status
        if status == 0:
            output.say("        By itself it is ready; what stands above of it beside others must be put right first.")
        return worst([status, NotReadyError.exit_status])


def sum_of(outcomes: Sequence[TaskOutcome], command: Command) -> Iterator[str]:
    """How many tasks ended how, the worst first; and those that didn't end well, each with its file."""
    counted = Counter(each.exit_status for each in outcomes)
    order = sorted(counted, key=lambda status: (status is None, -(status or 0)))
    shown = ", ".join(f"{counted[status]} {_words(status, command)}" for status in order)
    yield f"== {len(outcomes)} tasks: {shown}"
    for status in order:
        for each in outcomes:
            if each.exit_status == status and status != 0:
                yield f"{'-' if status is None else status:>4}  {each.file}: {_words(status, command)}"


def _words(status: int | None, command: Command) -> str:
    return "not reached" if status is None else command.outcome(status)
