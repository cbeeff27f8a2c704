"""A command and its own options, as the command line has them. Pure: ``main.py`` runs the commands."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from processor.errors import ReplicatorError, UsageError
from processor.settings.settings import Settings
from processor.system import program

_OUTCOMES = {
    0: "done",
    UsageError.exit_status: "something must be put right first",
    ReplicatorError.exit_status: "failed, or could not be looked at",
}


class CommandOptions(Protocol):
    """The options of every command."""

    @property
    def as_json(self) -> bool:
        """Whether standard output is JSON, for scripts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a command: a switch, unless ``parse`` says what its value may be.

    ``implied`` is the value if the option is given without one, for options that allow it; ``default`` is the value if
    it isn't given. A ``repeated`` option may be given several times: ``parse`` returns a sequence, and all of them are
    joined. ``field`` is its name in the command's options if that differs from its own: ``--dryRun`` → ``dry_run``.
    """

    name: str
    help: str
    parse: Callable[[str], Any] | None = None
    metavar: str = "VALUE"
    default: Any = None
    implied: Any = None
    repeated: bool = False
    field: str = ""

    @property
    def destination(self) -> str:
        """The field of the command's options."""
        return self.field or re.sub(r"([A-Z])", r"_\1", self.name).lower()

    @property
    def usage(self) -> str:
        """As ``--watch [SECONDS]``."""
        if self.parse is None:
            return f"--{self.name}"
        return f"--{self.name} " + (self.metavar if self.implied is None else f"[{self.metavar}]")

    def add_to(self, group: Any) -> None:
        """Add it to argparse, or to one of its groups."""
        words = self.help.replace("%", "%%")
        if self.parse is None:
            group.add_argument(f"--{self.name}", dest=self.destination, action="store_true", help=words)
            return
        group.add_argument(
            f"--{self.name}",
            dest=self.destination,
            metavar=self.metavar,
            help=words,
            type=self._parsed,
            default=[] if self.repeated else self.default,
            action="extend" if self.repeated else "store",
            **({} if self.implied is None else {"nargs": "?", "const": self.implied}),
        )

    def _parsed(self, text: str) -> Any:
        assert self.parse is not None  # noqa: S101  # a switch is given no text
        try:
            return self.parse(text)
        except ValueError as exc:
            raise UsageError(f"--{self.name}: {exc}. See --help.") from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: ``run.sh NAME FILE``, or ``run.sh FILE`` if it has no name; ``dynamodb-replicator`` with a wheel.

    ``takes`` is the class of its options, with a field for each of them. Of several tasks: ``outcomes`` has words for
    the exit statuses that have a meaning of their own with this command, and ``has_nothing`` says why a task is passed
    over, or nothing.
    """

    name: str = ""
    help: str
    takes: Callable[..., CommandOptions]
    options: tuple[Option, ...] = ()
    outcomes: Mapping[int, str] = field(default_factory=dict)
    has_nothing: Callable[[Settings], str] = lambda _: ""

    @property
    def usage(self) -> str:
        """One line for people."""
        if not self.name:
            return f"{program.NAME} [FILE ...|DIRECTORY] [--setting VALUE ...]"
        return f"{program.NAME} {self.name} [FILE ...|DIRECTORY] [--setting VALUE ...]"

    def outcome(self, status: int) -> str:
        """What an exit status says of a task, for people."""
        return self.outcomes.get(status) or _OUTCOMES.get(status, "interrupted")

    def take(self, arguments: Sequence[str]) -> tuple[CommandOptions, list[str]]:
        """Find the command's own options among its arguments.

        :returns: its options as it takes them, and the other arguments, in their order
        :raises UsageError: a value can't be used
        """
        parser = _Parser(prog=self.usage, add_help=False, allow_abbrev=False)
        for option in self.options:
            option.add_to(parser)
        found, rest = parser.parse_known_args(list(arguments))
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in vars(found).items()}
        return self.takes(**given), rest


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message[:1].upper() + message[1:] + ". See --help.")
