"""Properties file + environment + flags → what each setting was given, as text.

Pure: it reads neither files nor the environment, both are passed in. ``settings/loader.py`` makes ``Settings`` of it.

Precedence: command line, then environment, then file, then default. An unknown name is an error: the original ignored
typing errors, and then replicated something else.
"""

from __future__ import annotations

import difflib
import itertools
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import configargparse
import javaproperties

from processor import __version__
from processor.cli.command import Command
from processor.cli.registry import COMMANDS, REPLICATE
from processor.errors import UsageError
from processor.settings import kcl_properties, loader, service_links
from processor.settings.definitions import BY_NAME, DEFINITIONS, ENVIRONMENT_PREFIX
from processor.settings.parsers import boolean
from processor.settings.settings import Settings

# Which one of the tasks that are named; for every command.
TASK = "task"
_TASK_HELP = (
    "only the task of this name, which is its file's without .properties: of a directory, as if that one file were "
    "named, with what it inherits"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The tasks that a command line names.

    :param task: the name of the one that is meant, of several; None for all
    :param settings: the rest of the command line
    """

    files: list[str]
    task: str | None
    settings: list[str]


class _PropertiesParser(configargparse.ConfigFileParser):  # type: ignore[misc]  # configargparse has no types
    """Lets configargparse read a Java properties file."""

    def parse(self, stream: IO[str]) -> OrderedDict[str, str]:
        return OrderedDict(loader.properties_of(stream.read()))

    def get_syntax_description(self) -> str:
        return "The properties file has Java's .properties syntax."


class _Parser(configargparse.ArgumentParser):  # type: ignore[misc]  # configargparse has no types
    own_options: Collection[str] = ()

    def error(self, message: str) -> NoReturn:
        raise UsageError(message[:1].upper() + message[1:] + ". See --help.")


def parser(program: str, usage: str, command: Command = REPLICATE) -> configargparse.ArgumentParser:
    """The settings on the command line of one command; the properties files' names are not part of it.

    The command's own options are only here for hints; ``Command.take`` has already taken them. ``help.py`` writes the
    help of commands.
    """
    made = _Parser(
        prog=program,
        usage=usage,
        allow_abbrev=False,
        add_config_file_help=False,
        add_help=False,
        config_file_parser_class=_PropertiesParser,
    )
    groups: dict[str, Any] = {}
    made.own_options = [TASK, *(option.name for option in command.options)]
    for definition in DEFINITIONS:
        if definition.group not in groups:
            groups[definition.group] = made.add_argument_group(definition.group)
        flag = {"nargs": "?", "const": "true"} if definition.parse is boolean else {}
        groups[definition.group].add_argument(
            f"--{definition.name}",
            env_var=definition.environment,
            metavar="VALUE",
            help=f"{definition.help} (default: {definition.default_text})".replace("%", "%%").replace(
                "(default: required)", "(required)"
            ),
            **flag,
        )
    for name in kcl_properties.KINDS:
        if name not in BY_NAME:
            made.add_argument(f"--{name}", help=configargparse.SUPPRESS)
    add_task_option(made.add_argument_group("Tasks"))
    groups["Process"].add_argument("--help", action="help", help="this text")
    groups["Process"].add_argument(
        "--version", action="version", version=f"{program} {__version__}", help="this program's version"
    )
    return made


def add_task_option(group: Any) -> None:
    """Add to argparse's group what says which one is meant of several tasks."""
    group.add_argument(f"--{TASK}", metavar="NAME", help=_TASK_HELP)


def load(
    *,
    arguments: Sequence[str],
    properties: str,
    environment: Mapping[str, str],
    directory: Path,
    log_directory: Path,
    made: configargparse.ArgumentParser,
) -> Settings:
    """Read, check and complete the settings of one task.

    :param properties: the properties file's text; empty if there is none
    :param directory: where relative paths start
    :param log_directory: the default of ``logDirectory``
    :raises UsageError: for the first name or value that can't be used
    """
    return complete(
        arguments=arguments,
        written=loader.ours(loader.properties_of(properties)),
        environment=environment,
        directory=directory,
        log_directory=log_directory,
        made=made,
    )


def complete(
    *,
    arguments: Sequence[str],
    written: Mapping[str, str],
    environment: Mapping[str, str],
    directory: Path,
    log_directory: Path,
    made: configargparse.ArgumentParser,
) -> Settings:
    """As ``load``, of what stands in the task's file and in those that it inherits.

    :param written: by our names
    """
    environment = service_links.without(environment)
    _refuse_misspelt(environment)
    for name in written:
        if name not in BY_NAME and name not in kcl_properties.DECIDED_BY and not kcl_properties.is_known(name):
            raise UsageError(_unknown(name))
    dotted = {
        name: value for name, value in written.items() if name not in BY_NAME and name not in kcl_properties.KINDS
    }
    known = {name: value for name, value in written.items() if name not in dotted}
    found, unknown = made.parse_known_args(
        args=_joined(arguments),
        config_file_contents=javaproperties.dumps(known, timestamp=False),
        env_vars=dict(environment),
    )
    if unknown:
        name = unknown[0].lstrip("-").split("=")[0]
        raise UsageError(_unknown(name, made.own_options) if unknown[0].startswith("-") else _stray(unknown[0]))
    given = {name: value for name, value in vars(found).items() if value is not None}
    kcl = {
        name: value for name, value in given.items() if name not in BY_NAME and name in kcl_properties.KINDS
    } | dotted
    kcl_properties.check_all(kcl)
    ours = {name: given[name] for name in BY_NAME if name in given}
    loader.refuse_unwritable(kcl | ours)
    return loader.complete(ours, kcl=kcl, directory=directory, log_directory=log_directory)


def _refuse_misspelt(environment: Mapping[str, str]) -> None:
    known = [definition.environment for definition in DEFINITIONS]
    for name in environment:
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            if near:  # other variables with this prefix belong to something else
                message = f"Unknown setting {name} in the environment. Did you mean {near[0]}?"
                raise UsageError(message)


def _joined(arguments: Sequence[str]) -> list[str]:
    """``--name value`` as ``--name=value``: argparse would take a value such as ``-Xmx1g`` for an option."""
    joined: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name = argument.removeprefix("--")
        definition = BY_NAME.get(name)
        takes_value = (definition and definition.parse is not boolean) or name in kcl_properties.KINDS
        if argument.startswith("--") and takes_value and rest and not _is_flag(rest[0]):
            argument += f"={rest.pop(0)}"
        name, equals, value = argument.removeprefix("--").partition("=")
        joined.append(f"--{loader.ALIASES[name]}{equals}{value}" if name in loader.ALIASES else argument)
    return joined


def _is_flag(argument: str) -> bool:
    name = argument.removeprefix("--").partition("=")[0]
    return argument.startswith("--") and (name in BY_NAME or name in kcl_properties.KINDS or name == "help")


def _unknown(name: str, own_options: Collection[str] = ()) -> str:
    """:param own_options: of the command, where the name stood on its line"""
    if owners := [command.name for command in COMMANDS.values() if name in {each.name for each in command.options}]:
        return (
            f"Unknown setting {name}: it is an option, given on the command line of {' or '.join(owners)} as --{name}."
        )
    candidates = [*BY_NAME, *kcl_properties.KINDS, *own_options]
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    hint = f" Did you mean {by_lower[near[0]]}?" if near else " See help settings for those there are."
    return f"Unknown setting {name}.{hint}"


def _stray(argument: str) -> str:
    return f"Unexpected argument '{argument}': properties files and --name value pairs are all there is. See --help."


def take_named(words: Sequence[str]) -> Named:
    """Which tasks are named before the settings, and which one of them by ``--task``.

    :param words: without the command's own options
    :raises UsageError: ``--task`` has no name
    """
    rest, task = list(words), None
    files = list(itertools.takewhile(lambda word: not word.startswith("-"), rest))
    settings: list[str] = []
    rest = rest[len(files) :]
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name != f"--{TASK}":
            settings.append(name + equals + value)
            continue
        if not equals and rest and not rest[0].startswith("-"):
            value = rest.pop(0)
        if not value:
            message = f"--{TASK}: it needs the name of a task, which is its file's, without .properties. See --help."
            raise UsageError(message)
        task = value
    return Named(files=files, task=task, settings=settings)


def places(arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Where a setting is given that wins over the file's, by its name; no other can be in a file."""
    found = {
        each.name: f"the environment, {each.environment}" for each in DEFINITIONS if environment.get(each.environment)
    }
    for argument in _joined(arguments):
        if _is_flag(argument):
            name = argument.removeprefix("--").partition("=")[0]
            found[name] = "the command line"
    return found
