"""Help on terminals of any width."""

from __future__ import annotations

import pytest

from processor.cli import help as help_text
from processor.cli.registry import COMMANDS, REPLICATE

TOPICS = [["help"], ["help", "settings"], *(["help", name] for name in COMMANDS)]


@pytest.mark.parametrize("name", ["run.sh", "dynamodb-replicator"])
@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("words", TOPICS, ids=" ".join)
def test_no_word_is_broken(words: list[str], width: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line fits the terminal, and has whole words: names of options, settings and variables are copied from it."""
    monkeypatch.setattr("processor.system.program.NAME", name)
    monkeypatch.setenv("COLUMNS", "1000")
    whole = help_text.asked(words)
    monkeypatch.setenv("COLUMNS", str(width))
    text = help_text.asked(words)
    assert text is not None
    assert whole is not None
    assert [line for line in text.splitlines() if len(line) > width] == []
    assert text.split() == whole.split()


@pytest.mark.parametrize("width", [60, 80])
def test_what_is_typed_is_whole(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first lines are broken between the parts of a command line, not within one."""
    monkeypatch.setenv("COLUMNS", str(width))
    for command in (REPLICATE, *COMMANDS.values()):
        usage = help_text.of(command).partition("\n\n")[0]
        assert all(part in usage for part in ("FILE ...|DIRECTORY", "[--OPTION ...]", "[--SETTING VALUE ...]"))
