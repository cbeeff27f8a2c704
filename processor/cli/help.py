"""Writes the help that a command line asks for: of all commands, of one of them, or of the settings. Pure."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator, Sequence

from processor import __version__
from processor.cli import arguments
from processor.cli.registry import COMMANDS, REPLICATE, Command
from processor.errors import UsageError
from processor.settings.definitions import DEFINITIONS, ENVIRONMENT_PREFIX
from processor.system import program

_ASKING = ("help", "-h", "--help")
SETTINGS = "settings"
_TASKS = "FILE ...|DIRECTORY"
_OPTION = "[--OPTION ...]"
_SETTING = "[--SETTING VALUE ...]"
# Columns before the words of a setting, where argparse's own 24 leave too few for a variable's name.
_NARROW_INDENT = 12
_NARROW_COLUMNS = 78
_DESCRIPTION = (
    "Keeps a DynamoDB table equal to another one, in real time. A FILE of settings is a task; several of them, or a "
    "DIRECTORY, whose *.properties are a task each and inherit its common.properties, are worked off one by one, and "
    "replicated by one daemon."
)
_STATUS = (
    "Exit status: 0 done; 22 something that a person must put right first; 5 failed at run time, or could not look: "
    "start it again; 130 or 143 a command that was interrupted (a replication that is stopped: 0). With several tasks "
    "it is the highest."
)


class _Formatter(argparse.HelpFormatter):
    """Breaks no word, for names are copied from here."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return _broken(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in _broken(text, width - len(indent)))

    def usage(self, *parts: str) -> str:
        """What is typed: as many parts on a line as have room, each whole."""
        text = " ".join(part.replace(" ", "\xa0") for part in parts)
        indent = " " * len("usage: ")
        return "\n".join(_broken(text, self._width - len(indent), indent=indent)).replace("\xa0", " ")


class _OfSettings(_Formatter):
    """A narrow terminal keeps room for the words."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        if self._width < _NARROW_COLUMNS:
            self._max_help_position = _NARROW_INDENT


def _broken(text: str, width: int, *, indent: str = "") -> list[str]:
    text = re.sub(r"[ \n]+", " ", text)
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def asked(words: Sequence[str]) -> str | None:
    """The text that a command line asks for; None if it asks for none.

    :raises UsageError: it asks for help with what there is not
    """
    if words and words[0] in _ASKING:
        return _about(words[1:])
    at = next((at for at, word in enumerate(words) if _asks(words, at)), None)
    if at is None:
        return None
    if words[at + 1 : at + 2] == [SETTINGS]:
        return settings()
    return of(COMMANDS.get(words[0], REPLICATE))


def _asks(words: Sequence[str], at: int) -> bool:
    """``-h`` may also be the value of a setting before it, as of ``--javaOptions``."""
    return words[at] == "--help" or (words[at] == "-h" and not words[at - 1].startswith("--"))


def _about(topics: Sequence[str]) -> str:
    topic = next(iter(topics), "")
    if topic == SETTINGS:
        return settings()
    if topic in COMMANDS:
        return of(COMMANDS[topic])
    if topic and not topic.startswith("-"):
        message = f"There is no help about '{topic}'. There is some about {', '.join([*COMMANDS, SETTINGS])}."
        raise UsageError(message)
    return of(REPLICATE)


def of(command: Command) -> str:
    """The help of one command: its purpose, its own options, its exit statuses; of all of them for the replication."""
    return _overview() if command is REPLICATE else _of_command(command)


def _overview() -> str:
    made = argparse.ArgumentParser(
        prog=program.NAME,
        usage=_Formatter(program.NAME).usage(program.NAME, "[COMMAND]", _TASKS, _OPTION, _SETTING),
        description=_DESCRIPTION,
        epilog=_STATUS,
        formatter_class=_Formatter,
        add_help=False,
    )
    listed = made.add_subparsers(title="Commands", metavar="")
    listed.add_parser(_TASKS, help=REPLICATE.help, add_help=False)
    listed.add_parser("--demo", help="replicate between two tables on this machine, which needs no AWS", add_help=False)
    for command in COMMANDS.values():
        listed.add_parser(f"{command.name} ...", help=command.help, add_help=False)
    listed.add_parser("help COMMAND", help="a command's own options", add_help=False)
    listed.add_parser(f"help {SETTINGS}", help=f"the {len(DEFINITIONS)} settings, of which four are required")
    listed.add_parser("completion SHELL", help="what completes the command line in bash, zsh or fish", add_help=False)
    listed.add_parser("--version", help=f"this program's version ({__version__})", add_help=False)
    return _without_empty_lines(made.format_help())


def _without_empty_lines(text: str) -> str:
    """Without the line that argparse makes of an empty ``metavar``."""
    return "\n".join(line for line in text.split("\n") if not line or line.strip())


def _of_command(command: Command) -> str:
    made = argparse.ArgumentParser(
        prog=f"{program.NAME} {command.name}",
        usage=_Formatter(program.NAME).usage(program.NAME, command.name, _TASKS, _OPTION, _SETTING),
        description=f"{command.help[:1].upper()}{command.help[1:]}.",
        epilog=f"Exit status: {', '.join(_statuses(command))}. '{program.NAME} help {SETTINGS}' lists the settings, "
        "which may stand here, too.",
        formatter_class=_Formatter,
        add_help=False,
    )
    own = made.add_argument_group(f"Options of {command.name}")
    for option in command.options:
        option.add_to(own)
    arguments.add_task_option(own)
    return made.format_help()


def _statuses(command: Command) -> Iterator[str]:
    for status in sorted({0, 5, 22, *command.outcomes}):
        yield f"{status} {command.outcome(status)}"
    yield "130 or 143 interrupted"


def settings() -> str:
    """All settings in groups, each with its default and its environment variable."""
    made = arguments.parser(program.NAME, _Formatter(program.NAME).usage(program.NAME, "[COMMAND]", _TASKS, _SETTING))
    made.formatter_class = _OfSettings
    made.description = (
        f"Each setting can stand in the properties file, in the environment (the name that begins with "
        f"{ENVIRONMENT_PREFIX}) or on the command line; the later of these wins. Any KCL MultiLangDaemon property may "
        "stand beside them."
    )
    made.epilog = None
    text: str = made.format_help()
    return text
