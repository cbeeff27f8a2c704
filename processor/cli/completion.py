"""Writes what completes this program's command line in a shell: ``completion bash``, ``zsh`` or ``fish``. Pure.

The registry and the settings have all there is to complete, so a script stands for itself: Tab starts no Python, and
names of files come from the shell.

Not by ``shtab`` or ``argcomplete``: the first word may be a command or a file, which the former can't say, and the
latter runs the program at each Tab, which may set up a checkout.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from processor import __version__
from processor.cli.arguments import TASK
from processor.cli.command import Option
from processor.cli.registry import COMMANDS
from processor.errors import UsageError
from processor.settings.definitions import DEFINITIONS, Definition
from processor.settings.parsers import OneOf, boolean
from processor.system import program

NAME = "completion"
_HELP = "help"
_SETTINGS = "settings"
# Settings whose value is a file or a folder; of the commands' options those whose value is called so.
FILE_SETTINGS = ("logConfiguration", "logDirectory", "transformPath")
_FILE = "FILE"
_BOOLEAN = ("true", "false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One option of a command, or a setting.

    :param values: all that it may be given, where that is known
    :param takes_value: whether a word follows; ``needs_value``, whether one must
    """

    name: str
    help: str
    values: tuple[str, ...] = ()
    takes_value: bool = True
    needs_value: bool = True
    is_file: bool = False


def asked(words: Sequence[str]) -> str | None:
    """The script that a command line asks for; None if it asks for none.

    :raises UsageError: for no shell, or for one that there is no script for
    """
    if not words or words[0] != NAME:
        return None
    shell = next(iter(words[1:]), "")
    if shell not in SHELLS or len(words) > 2:  # noqa: PLR2004  # the two words
        message = f"'{' '.join(words)}': name one shell, {', '.join(SHELLS)}. Nothing was written."
        raise UsageError(message)
    return SHELLS[shell]()


def _of_option(option: Option) -> Flag:
    return Flag(
        name=option.name,
        help=option.help,
        takes_value=option.parse is not None,
        needs_value=option.parse is not None and option.implied is None,
        is_file=option.metavar == _FILE,
    )


def _of_setting(definition: Definition) -> Flag:
    is_boolean = definition.parse is boolean
    choices = definition.parse.choices if isinstance(definition.parse, OneOf) else ()
    return Flag(
        name=definition.name,
        help=definition.help,
        values=_BOOLEAN if is_boolean else choices,
        needs_value=not is_boolean,
        is_file=definition.name in FILE_SETTINGS,
    )


def of_command(name: str) -> list[Flag]:
    """The options that are a command's own, by its name; all have ``--task``."""
    own = [_of_option(option) for option in COMMANDS[name].options] if name else []
    return [*own, Flag(name=TASK, help="only this task of a directory")]


def settings() -> list[Flag]:
    """Every setting, which any command takes."""
    return [_of_setting(definition) for definition in DEFINITIONS]


def _first_words() -> Mapping[str, str]:
    return {name: command.help for name, command in COMMANDS.items()} | {
        _HELP: "the help of a command, or of the settings",
        NAME: "what completes the command line in a shell",
    }


def _topics() -> Mapping[str, Sequence[str]]:
    """What may follow a first word that takes no file."""
    return {_HELP: [*COMMANDS, _SETTINGS], NAME: [*SHELLS]}


def _by_values() -> Iterator[tuple[str, str, bool]]:
    """Flags with equal values together: as ``--a|--b``, the values, and whether files may follow."""
    found: dict[tuple[str, bool], list[str]] = {}
    for flag in [*(each for name in COMMANDS for each in of_command(name)), *settings()]:
        if flag.takes_value and (flag.values or flag.needs_value):
            names = found.setdefault((" ".join(flag.values), flag.is_file), [])
            if flag.name not in names:
                names.append(flag.name)
    for (values, is_file), names in found.items():
        yield "|".join(f"--{name}" for name in names), values, is_file


def _function() -> str:
    return "_" + re.sub(r"\W", "_", program.NAME)


def _names(flags: Sequence[Flag]) -> str:
    return " ".join(f"--{flag.name}" for flag in flags)


def _bash() -> str:
    options = [f"            {name}) offered='{_names(of_command(name))}' ;;" for name in COMMANDS]
    values = [
        f"            {names}) offered='{words}' files='{'any' if is_file else ''}' ;;"
        for names, words, is_file in _by_values()
    ]
    topics = [f"            {name}) offered='{' '.join(words)}' files='' ;;" for name, words in _topics().items()]
    lines = [
        f"# Completes {program.NAME} {__version__} in bash:  source <({program.COMMAND} {NAME} bash)",
        f"{_function()}() {{",
        '    local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"',
        "    local offered='' files='' word",
        "    # bash takes --name=value for three words.",
        '    if [[ "$before" == = ]]; then before="${COMP_WORDS[COMP_CWORD-2]}"; fi',
        "    if [[ \"$current\" == = ]]; then current=''; fi",
        '    if [[ "$current" == -* ]]; then',
        '        case "${COMP_WORDS[1]}" in',
        *options,
        f"            *) offered='--demo --help --version --{TASK}' ;;",
        "        esac",
        f"        offered+=' {_names(settings())}'",
        "    else",
        '        case "${COMP_WORDS[1]}" in',
        *topics,
        "            *) files=tasks ;;",
        "        esac",
        f"        if ((COMP_CWORD == 1)); then offered='{' '.join(_first_words())}' files=tasks; fi",
        '        case "$before" in',
        *values,
        "        esac",
        "    fi",
        "    COMPREPLY=()",
        '    if [[ -n "$files" ]]; then compopt -o filenames 2>/dev/null; fi',
        '    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(',
        '        compgen -W "$offered" -- "$current"',
        '        case "$files" in',
        '            any) compgen -f -- "$current" ;;',
        '            tasks) compgen -f -X \'!*.properties\' -- "$current"; compgen -d -- "$current" ;;',
        "        esac",
        "    )",
        "}",
        f"complete -F {_function()} {program.NAME}",
    ]
    return "\n".join(lines)


def _described(entries: Mapping[str, str]) -> str:
    """As zsh's ``_describe`` takes them: ``'name:what it is'``."""
    return " ".join(shlex.quote(f"{name}:{_short(text)}") for name, text in entries.items())


def _short(text: str) -> str:
    """The first clause of a help text: a menu has one line for each."""
    return re.split(r"; | \(", text)[0]


def _help_of(flags: Sequence[Flag]) -> dict[str, str]:
    return {f"--{flag.name}": flag.help for flag in flags}


def _zsh() -> str:
    options = [f"      ({name}) options=({_described(_help_of(of_command(name)))}) ;;" for name in COMMANDS]
    values = [
        f"    ({names}) {'_files' if is_file else f'compadd -- {words}' if words else ':'}; return ;;"
        for names, words, is_file in _by_values()
    ]
    topics = [f"    ({name}) compadd -- {' '.join(words)}; return ;;" for name, words in _topics().items()]
    others = {"--demo": "replicate between two tables on this machine", "--help": "help", "--version": "version"}
    lines = [
        f"#compdef {program.NAME}",
        f"# Completes {program.NAME} {__version__} in zsh:  source <({program.COMMAND} {NAME} zsh), after compinit",
        f"{_function()}() {{",
        "  local -a options commands",
        "  if [[ $PREFIX == -* ]]; then",
        "    case $words[2] in",
        *options,
        f"      (*) options=({_described(others | _help_of(of_command('')))}) ;;",
        "    esac",
        f"    options+=({_described(_help_of(settings()))})",
        "    _describe -o option options",
        "    return",
        "  fi",
        "  case $words[CURRENT-1] in",
        *values,
        "  esac",
        "  if (( CURRENT == 2 )); then",
        f"    commands=({_described(_first_words())})",
        "    _describe command commands",
        "    _files -g '*.properties'",
        "    return",
        "  fi",
        "  case $words[2] in",
        *topics,
        "  esac",
        "  _files -g '*.properties'",
        "}",
        f"if [[ $funcstack[1] == {_function()} ]]; then",
        f'  {_function()} "$@"  # from $fpath, at its first use',
        "else",
        f"  compdef {_function()} {program.NAME}",
        "fi",
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """In fish's single quotes, in which a backslash stands for itself but before these two."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish() -> str:
    return "\n".join(_fish_lines())


def _fish_lines() -> Iterator[str]:
    complete = f"complete -c {program.NAME}"
    first = " ".join(_first_words())
    yield f"# Completes {program.NAME} {__version__} in fish:  {program.COMMAND} {NAME} fish | source"
    yield f"{complete} -f"
    tasks = f"not __fish_seen_subcommand_from {' '.join(_topics())}"
    yield f"{complete} -n {_quoted(tasks)} -k -a '(__fish_complete_suffix .properties)'"
    for name, text in _first_words().items():
        where = _quoted(f"__fish_is_first_token; and not __fish_seen_subcommand_from {first}")
        yield f"{complete} -n {where} -a {name} -d {_quoted(_short(text))}"
    for name, words in _topics().items():
        yield f"{complete} -n '__fish_seen_subcommand_from {name}' -a {_quoted(' '.join(words))}"
    yield f"{complete} -n {_quoted(f'not __fish_seen_subcommand_from {first}')} -l demo -d 'replicate on this machine'"
    for name in COMMANDS:
        for flag in of_command(name)[:-1]:
            yield f"{complete} -n '__fish_seen_subcommand_from {name}' {_fish_flag(flag)}"
    for flag in [*of_command("")[-1:], *settings()]:
        yield f"{complete} {_fish_flag(flag)}"


def _fish_flag(flag: Flag) -> str:
    takes = "-r -F " if flag.is_file else "-x " if flag.needs_value else ""
    offered = f"-a {_quoted(' '.join(flag.values))} " if flag.values and flag.needs_value else ""
    return f"-l {flag.name} {takes}{offered}-d {_quoted(_short(flag.help))}"


SHELLS: Mapping[str, Callable[[], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
