"""Runs the commands: parse, dispatch, exit status. ``registry.py`` lists them, ``runners.py`` has what runs each."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from processor.cli import arguments, completion, runners
from processor.cli import help as help_text
from processor.cli.arguments import Named
from processor.cli.command import Command, CommandOptions
from processor.cli.registry import COMMANDS, REPLICATE
from processor.commands.console.options import ConsoleOptions
from processor.commands.policy.options import PolicyOptions
from processor.commands.verify.options import VerifyOptions
from processor.errors import MissingSettingError, UsageError
from processor.reporting import ending, output
from processor.reporting.console import MessageStream, PrintableStream
from processor.reporting.ending import Ending
from processor.settings import loader, named_task, task_file, task_files
from processor.settings.named_task import NamedTask
from processor.settings.settings import Settings
from processor.settings.task_file import TaskFile
from processor.system import program
from processor.system.private_files import UMASK
from processor.system.signals import ignore_further, raise_when_they_come


def main(words: Sequence[str], *, settings: Settings | None = None) -> int:
    """Run one command.

    :param settings: what a daemon hands down to a command of its own; without them, the words name a file
    :returns: the exit status; a replication that starts never returns, this process becomes its daemon
    """
    with (
        contextlib.redirect_stdout(PrintableStream(sys.stdout)),
        contextlib.redirect_stderr(MessageStream(sys.stderr)),
    ):
        return _main(words, settings)


def _main(words: Sequence[str], settings: Settings | None) -> int:
    raise_when_they_come()
    words = _with_demo(words)
    command = COMMANDS.get(words[0], REPLICATE) if words else REPLICATE
    ended = _ended(command, words, settings)
    if command is not REPLICATE and "--json" in words and ended.message and ended.exit_status != output.CLOSED_PIPE:
        _report(ended)
    return ended.exit_status


def _report(ended: Ending) -> None:
    """What ``--json`` prints where the command has printed nothing."""
    if not output.has_json():
        output.json(ending.report(ended))


def _ended(command: Command, words: Sequence[str], settings: Settings | None) -> Ending:
    """How a command ended; a message is said already."""
    try:
        if (text := completion.asked(words) or help_text.asked(words)) is not None:
            for line in text.rstrip("\n").split("\n"):
                output.line(line)
            return Ending(0, "")
        status = _dispatch(command, words[1:] if command.name else words, settings)
        return ending.of_status(status)
    except KeyboardInterrupt as exc:
        ignore_further()
        if command is REPLICATE:  # a clean stop ends with 0, also before the daemon's own handler is installed
            output.say(f"{program.NAME}: stopped before it began. Nothing was replicated.")
            return Ending(0, "")
        message = f"{command.name} was interrupted before it was through."
        output.say(f"{program.NAME}: {message}")
        return Ending(ending.interrupted(exc), message)
    except Exception as exc:  # noqa: BLE001  # the last resort: a message and a decided status for whatever is left
        ended = ending.of(exc, left="Nothing was started" if command is REPLICATE else ending.DONE)
        output.say(f"{program.NAME}: {ended.message}")
        return ended


def _with_demo(words: Sequence[str]) -> Sequence[str]:
    """``--demo`` without a file means the demo's own settings."""
    if words and words[0] == "--demo" and list(words[1:2]) != ["false"]:
        return [str(program.DEMO), *words]
    return words


def console() -> NoReturn:
    """The entry point of ``python -m processor`` and of an installed ``dynamodb-replicator``."""
    os.umask(UMASK)  # for the daemon and its children, too
    output.leave(main(sys.argv[1:]))


def _dispatch(command: Command, words: Sequence[str], handed_down: Settings | None) -> int:
    options, rest = command.take(words)
    output.prepare(as_json=options.as_json)
    if handed_down is not None:
        return runners.RUN[command.name](handed_down, options)
    given = arguments.take_named(rest)
    if given.task is None and task_files.are_many(given.files):
        return _with_many(command, given, options, words=rest)
    found = load(rest, command) if given.task is None else _chosen(command, given)
    if isinstance(options, ConsoleOptions):
        return runners.consoles([_named(found, given)], options, None)
    if found.demo and command is REPLICATE:
        from processor.commands.demo import command as demonstration

        return demonstration.run(found, rest)
    if found.two_way and command is REPLICATE:
        return _in_both_directions(found, given, words=rest)
    return runners.RUN[command.name](found, options)


def _in_both_directions(found: Settings, given: Named, *, words: Sequence[str]) -> NoReturn:
    """Replicate one two-way task.

    :raises UsageError: its settings are in no file
    """
    if not given.files:
        message = (
            "twoWay=true: its two directions are tasks of one daemon, which follows their settings in a properties "
            "file, and none is named. Put the settings into one, and name it."
        )
        raise UsageError(message)
    from processor.commands.replicate import both_directions

    both_directions.run(found, words)


def _named(settings: Settings, given: Named) -> NamedTask:
    """The one task of a command line, with the file by which a person names it again, if there is one."""
    file = TaskFile(path=given.files[0] if given.files else "")
    if given.task is not None:
        file = task_files.choose(task_files.find(given.files), given.task)
    return NamedTask(file=file, settings=settings, places={})


def _chosen(command: Command, given: Named) -> Settings:
    from processor.cli import many

    return many.chosen(given, command, environment=os.environ)


def _with_many(command: Command, given: Named, options: CommandOptions, *, words: Sequence[str]) -> int:
    from processor.cli import many

    if command is REPLICATE:
        if not Path(given.files[0]).exists():
            load(given.files[:1])  # which says that there is no such file, and no such command either
        from processor.commands.replicate import many as daemon_of_many

        directories = [path for path in given.files if task_files.is_directory(path)]
        named = many.named(given, command, environment=os.environ)
        daemon_of_many.run(list(named_task.in_directions(named)), words, directories)
    if isinstance(options, VerifyOptions) and options.output is not None:
        message = (
            "--output is one file, which each task would write over. Verify one task at a time with it: --task NAME."
        )
        raise UsageError(message)
    tasks = many.named(given, command, environment=os.environ)
    if isinstance(options, ConsoleOptions):
        return runners.consoles(tasks, options, many.files(given, command, os.environ))
    together = runners.RUN_MANY.get(command.name)
    if together is not None and not (isinstance(options, PolicyOptions) and options.split):
        return together(tasks, options)
    return many.one_by_one(tasks, command, options, lambda settings: runners.RUN[command.name](settings, options))


def load(words: Sequence[str], command: Command = REPLICATE) -> Settings:
    """Settings from the command line, the environment and the properties file it names.

    :param words: without the options of ``command``
    :raises UsageError: any of them can't be used
    """
    remaining = list(words)
    file = remaining.pop(0) if remaining and not remaining[0].startswith("-") else None
    made = arguments.parser(program.NAME, command.usage, command)
    if file is None and not remaining:
        message = (
            f"No properties file and no settings. Copy {program.TEMPLATE}, fill in the four required "
            "ones and name it; or see --help."
        )
        raise UsageError(message)
    try:
        text = loader.decoded(task_file.content_of(file)) if file else ""
    except OSError as exc:
        message = f"Properties file {file}: can't be read ({exc.strerror}). Nothing was started. Check the path."
        if file and command is REPLICATE and file.isalpha():
            message += f" {help_text.meant(file)}"
        raise UsageError(message) from exc
    try:
        return arguments.load(
            arguments=remaining,
            properties=text,
            environment=os.environ,
            directory=Path.cwd(),
            log_directory=program.log_directory(os.environ),
            made=made,
        )
    except MissingSettingError as exc:
        if file and (beside := task_files.beside(file)):
            raise MissingSettingError(f"{exc} {beside}") from exc
        raise
    except UsageError as exc:
        # Of a file that can't be taken apart there are none, and that is said with its name.
        places = {**(task_file.places_in(file, text) if file else {}), **arguments.places(remaining, os.environ)}
        named = NamedTask(file=TaskFile(path=file or ""), error=str(exc), places=places)
        raise UsageError(named.error_with_places) from exc
