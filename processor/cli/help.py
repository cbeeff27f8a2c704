"""Writes the help that a command line asks for: of all commands, of one of them, or of the settings."""

from __future__ import annotations

import argparse
import copy
import difflib
import re
import shutil
from collections.abc import Iterator, Sequence

from processor import __version__
from processor.cli import arguments
from processor.cli.command import Command
from processor.cli.registry import COMMANDS, REPLICATE
from processor.errors import UsageError
from processor.reporting import terminal
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


class _Formatter(argparse.RawTextHelpFormatter):
    """Breaks no word, for names are copied from here: argparse gets lines that have been made already.

    :param words_from: the column where the words about an option begin; 24 is argparse's own
    """

    def __init__(self, prog: str, *, words_from: int = 24) -> None:
        super().__init__(prog, max_help_position=words_from, width=_columns())
        self._words_columns = _columns() - words_from

    def add_text(self, text: str | None) -> None:
        """A paragraph."""
        super().add_text(None if text is None else "\n".join(_broken(text, _columns())))

    def add_argument(self, action: argparse.Action) -> None:
        """An option, or the commands."""
        if action.help is None or action.help is argparse.SUPPRESS:  # which argparse knows by its identity
            super().add_argument(action)
            return
        lines = copy.copy(action)
        lines.help = self.about(action.help)
        super().add_argument(lines)

    def about(self, text: str) -> str:
        """The lines about an option, or about a command, for which argparse does not ask ``add_argument``."""
        return "\n".join(_broken(text, self._words_columns))


def _of_settings(prog: str) -> _Formatter:
    """A narrow terminal keeps room for the words."""
    return _Formatter(prog) if _columns() >= _NARROW_COLUMNS else _Formatter(prog, words_from=_NARROW_INDENT)


def _columns() -> int:
    """As argparse counts them."""
    return shutil.get_terminal_size().columns - 2


def _usage(*parts: str) -> str:
    """What is typed: as many parts on a line as have room, each whole."""
    text = " ".join(part.replace(" ", "\xa0") for part in parts)
    indent = " " * len("usage: ")
    return "\n".join(_broken(text, _columns() - len(indent), indent=indent)).replace("\xa0", " ")


def _broken(text: str, width: int, *, indent: str = "") -> list[str]:
    return terminal.wrapped(re.sub(r"[ \n]+", " ", text), width, indent=indent)


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


def meant(word: str) -> str:
    """What a word may be meant as that is neither a command nor a file."""
    if near := difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.75):
        return f"If it was meant as a command: did you mean {near[0]}?"
    return f"If it was meant as a command: there are {', '.join(COMMANDS)}; a replication is started by its file alone."


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
        usage=_usage(program.NAME, "[COMMAND]", _TASKS, _OPTION, _SETTING),
        description=_DESCRIPTION,
        epilog=_STATUS,
        formatter_class=_Formatter,
        add_help=False,
    )
    about = _Formatter(program.NAME).about
    listed = made.add_subparsers(title="Commands", metavar="")
    listed.add_parser(_TASKS, help=about(REPLICATE.help), add_help=False)
    listed.add_parser(
        "--demo", help=about("replicate between two tables on this machine, which needs no AWS"), add_help=False
    )
    for command in COMMANDS.values():
        listed.add_parser(f"{command.name} ...", help=about(command.help), add_help=False)
    listed.add_parser("help COMMAND", help=about("a command's own options"), add_help=False)
    listed.add_parser(f"help {SETTINGS}", help=about(f"the {len(DEFINITIONS)} settings, of which four are required"))
    listed.add_parser(
        "completion SHELL", help=about("what completes the command line in bash, zsh or fish"), add_help=False
    )
    listed.add_parser("--version", help=about(f"this program's version ({__version__})"), add_help=False)
    return _without_empty_lines(made.format_help())


def _without_empty_lines(text: str) -> str:
    """Without the line that argparse makes of an empty ``metavar``."""
    return "\n".join(line for line in text.split("\n") if not line or line.strip())


def _of_command(command: Command) -> str:
    made = argparse.ArgumentParser(
        prog=f"{program.NAME} {command.name}",
        usage=_usage(program.NAME, command.name, _TASKS, _OPTION, _SETTING),
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
    made = arguments.parser(program.NAME, _usage(program.NAME, "[COMMAND]", _TASKS, _SETTING))
    made.formatter_class = _of_settings
    made.description = (
        f"Each setting can stand in the properties file, in the environment (the name that begins with "
        f"{ENVIRONMENT_PREFIX}) or on the command line; the later of these wins. Any KCL MultiLangDaemon property may "
        "stand beside them."
    )
    made.epilog = None
    text: str = made.format_help()
    return text
