"""Commands and the options that are their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from processor.cli import help as help_text
from processor.cli import registry
from processor.cli.command import Command, Option
from processor.cli.main import load, main
from processor.cli.registry import COMMANDS
from processor.errors import UsageError
from processor.settings import kcl_properties
from processor.settings.definitions import BY_NAME
from processor.settings.parsers import whole_number


class CountOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What ``COMMAND`` takes."""

    as_json: bool = False
    sheep: int = 7
    every_seconds: int | None = None
    excepted: tuple[str, ...] = ()


COMMAND = Command(
    name="count",
    help="count sheep",
    takes=CountOptions,
    options=(
        registry.JSON,
        Option(name="sheep", help="how many", metavar="N", parse=whole_number(1, 100), default=7),
        Option(
            name="every",
            field="every_seconds",
            help="how often",
            metavar="SECONDS",
            parse=whole_number(1, 60),
            implied=2,
        ),
        Option(
            name="except",
            field="excepted",
            help="not these; may be repeated",
            metavar="NAMES",
            parse=lambda text: text.split(","),
            repeated=True,
        ),
    ),
)


@pytest.mark.parametrize(
    ("arguments", "changed", "rest"),
    [
        ([], {}, []),
        (["a.properties", "--json"], {"as_json": True}, ["a.properties"]),
        (["--sheep", "9", "a.properties", "--taskName", "json"], {"sheep": 9}, ["a.properties", "--taskName", "json"]),
        (["--sheep=9", "--every"], {"sheep": 9, "every_seconds": 2}, []),
        (["--every", "30"], {"every_seconds": 30}, []),
        (
            ["--except", "Dolly,Timmy", "--javaOptions", "-Xmx1g", "--except=Shaun"],
            {"excepted": ("Dolly", "Timmy", "Shaun")},
            None,
        ),
        (["a.properties", "--shee", "9", "--help"], {}, ["a.properties", "--shee", "9", "--help"]),
    ],
)
def test_a_command_takes_its_own_options(arguments: list[str], changed: dict[str, Any], rest: list[str] | None) -> None:
    """Options are found wherever they stand, and all else stays in its order."""
    expected = CountOptions(**changed)
    assert COMMAND.take(arguments) == (expected, ["--javaOptions", "-Xmx1g"] if rest is None else rest)


@pytest.mark.parametrize("command", [registry.REPLICATE, *COMMANDS.values()], ids=lambda command: command.name)
def test_a_command_takes_an_object_of_its_options(command: Command) -> None:
    """It has a field for each of them, and nothing else; what is left out is the same in both places."""
    taken, _ = command.take([])
    assert taken == command.takes()
    assert isinstance(taken, msgspec.Struct)
    assert sorted(taken.__struct_fields__) == sorted(option.destination for option in command.options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sheep", "many"], "--sheep: 'many' is not a whole number from 1 to 100. See --help."),
        (["--sheep"], "--sheep: expected one argument. See --help."),
        (["--json=1"], "--json: ignored explicit argument '1'. See --help."),
    ],
)
def test_a_value_that_can_t_be_used_is_refused(arguments: list[str], message: str) -> None:
    """The message names the option, and what it takes."""
    with pytest.raises(UsageError) as refused:
        COMMAND.take(arguments)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shep", "3"], "Unknown setting shep. Did you mean sheep?"),
        (["--forget"], "Unknown setting forget: it is an option, given on the command line of copy as --forget."),
        (["--xyzzy"], "Unknown setting xyzzy. See help settings for those there are."),
    ],
)
def test_an_unknown_option_is_refused_with_a_hint(arguments: list[str], message: str) -> None:
    """The hint knows the command's own options, and those of the others."""
    with pytest.raises(UsageError) as refused:
        load(arguments, COMMAND)
    assert message == str(refused.value)


@pytest.mark.parametrize(
    ("text", "words", "given"),
    [
        ("\n# Keeps a table\nbathSize=1\n", [], "(bathSize is given in {0}:3)"),
        ("sourceRegion=x\n", [], "(sourceRegion is given in {0}:1)"),
        ("sourceRegion=x\n", ["--sourceRegion=y"], "(sourceRegion is given in the command line)"),
        ("a=\\u00\n", [], "Properties file {0}: "),
    ],
)
def test_what_a_file_has_wrong_is_said_with_its_place(text: str, words: list[str], given: str, tmp_path: Path) -> None:
    """As it is where several files are named."""
    file = tmp_path / "replication.properties"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        load([str(file), *words])
    assert given.format(file) in str(refused.value)


def test_an_option_is_no_setting() -> None:
    """No option has the name of a setting or of one of KCL's properties."""
    names = {option.name for command in COMMANDS.values() for option in command.options}
    assert set() == names & ({*BY_NAME, "help"} | set(kcl_properties.KINDS))


@pytest.mark.parametrize("command", [COMMAND, *COMMANDS.values()], ids=lambda command: command.name)
def test_help_has_the_options_of_its_command(command: Command) -> None:
    """``run.sh NAME --help`` has each option with its value and words, and none of the settings."""
    text = " ".join(help_text.of(command).split())
    assert f"Options of {command.name}:" in text
    assert "--sourceTable" not in text
    for option in command.options:
        assert f"{option.usage} {option.help}" in text


@pytest.mark.parametrize("words", [["help"], ["-h"], ["--help"], ["a.properties", "-h"], ["conf", "--help"]])
def test_help_lists_the_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its purpose, and no setting: it fits a screen of 80 columns and 40 lines."""
    assert main(words) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 40
    assert "--sourceTable" not in text
    for name in [*COMMANDS, "--demo", "help settings", "help COMMAND"]:
        assert f"\n    {name}" in text


@pytest.mark.parametrize("words", [["help", "copy"], ["copy", "-h"], ["copy", "a.properties", "--help"]])
def test_help_of_one_command_is_its_own(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Its options and exit statuses."""
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "--restart" in text
    assert "22 something must be put right first" in " ".join(text.split())


@pytest.mark.parametrize("words", [["help", "settings"], ["--help", "settings"], ["copy", "--help", "settings"]])
def test_help_settings_has_the_settings(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, with their defaults."""
    assert main(words) == 0
    text = capsys.readouterr().out
    assert [name for name in BY_NAME if f"--{name} " not in text] == []


def test_help_about_what_there_is_not_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A word may be misspelt; and ``-h`` is also the value of an option that wants one."""
    assert main(["help", "coppy"]) == 22
    assert "There is no help about 'coppy'. There is some about check, console, copy" in capsys.readouterr().err
    assert help_text.asked(["a.properties", "--javaOptions", "-h"]) is None


def test_the_demo_needs_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--demo`` alone is the demo with its own settings."""
    ran: list[Any] = []
    monkeypatch.setattr(
        "processor.commands.demo.command.run", lambda settings, words: ran.append((settings, words)) or 0
    )
    assert main(["--demo", "--demoSeconds", "3"]) == 0
    ((settings, words),) = ran
    assert (settings.source_table, settings.demo_seconds, words[1:]) == ("orders", 3, ["--demo", "--demoSeconds", "3"])


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("chek", r"did you mean check\?"),
        ("start", r"there are check, console, copy, policy, .*; a replication is started by its file alone"),
    ],
)
def test_a_misspelt_command_is_answered_with_what_was_meant(word: str, answer: str) -> None:
    """A word that is neither a command nor a file may have been meant as either."""
    with pytest.raises(UsageError, match=rf"{word}: can't be read .*{answer}"):
        load([word, "orders.properties"])
