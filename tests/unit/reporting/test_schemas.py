"""What ``--json`` prints has a shape of which docs/schemas/ tells, for every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from processor.cli.main import main
from processor.cli.registry import COMMANDS
from tests import schemas

COMMANDS_WITH_JSON = [name for name, command in COMMANDS.items() if "json" in {each.name for each in command.options}]


def test_every_command_has_a_schema() -> None:
    """Each that takes ``--json``, and no other."""
    assert sorted(schemas.REPORTS) == sorted(COMMANDS_WITH_JSON)


def test_the_schemas_are_those_of_the_types() -> None:
    """``python -m tests.schemas`` has written them since the types were last changed."""
    written = {file.name: file.read_text() for file in schemas.FOLDER.iterdir()}
    assert written == schemas.made()


@pytest.mark.parametrize("name", COMMANDS_WITH_JSON)
@pytest.mark.parametrize("words", [[], ["nowhere.properties"], ["--sourceRegion", "eu-west-1"], ["--xyzzy"]])
def test_a_command_line_that_can_t_be_used_is_told_to_scripts(
    name: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One object with the exit status and the message that people get, too."""
    assert main([name, *words, "--json"]) == 22
    printed = capsys.readouterr()
    schemas.hold(name, printed.out)
    found = json.loads(printed.out)
    assert (found["ready"], found["exitStatus"], found["findings"]) == (False, 22, [])
    assert found["error"] in printed.err


def test_what_can_not_be_reached_is_told_to_scripts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With its finding, and 5."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    words = ["--sourceTable", "aaa", "--destinationTable", "bbb", "--logDirectory", str(tmp_path)]
    for side in ("source", "destination"):
        words += [f"--{side}Region", "local", f"--{side}Endpoint", "http://127.0.0.1:1"]
    assert main(["verify", *words, "--json"]) == 5
    printed = capsys.readouterr().out
    schemas.hold("verify", printed)
    assert {"unreachable"} <= {finding["id"] for finding in json.loads(printed)["findings"]}
