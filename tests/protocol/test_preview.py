"""``run.sh preview`` on tables of DynamoDB Local."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processor.cli.main import main
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.conftest import REGION, Tables

VIEW = ["--filter", "n < :n", "--filterValues", '{":n":{"N":"2"}}', "--excludeAttributes", "note"]


class Stage:
    """A source, and previews of it. There is no destination."""

    def __init__(self, tables: Tables, endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.tables, self.source = tables, tables.create()
        self._capsys = capsys
        self._words = ["--sourceRegion", REGION, "--sourceTable", self.source, "--sourceEndpoint", endpoint]
        self._words += ["--destinationRegion", REGION, "--destinationTable", "not-there"]

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        status = main(["preview", *self._words, *words])
        return status, *self._capsys.readouterr()

    def items(self, *words: str) -> list[dict[str, Any]]:
        """Those of ``--json``."""
        status, said, _ = self.run("--json", *words)
        assert status in {0, 1}
        found: list[dict[str, Any]] = json.loads(said)["items"]
        return found


@pytest.fixture
def stage(tables: Tables, dynamodb: DynamoDBLocal, capsys: pytest.CaptureFixture[str]) -> Stage:
    """With three items."""
    made = Stage(tables, dynamodb.endpoint, capsys)
    for number in range(3):
        note = {"S": f"secret-{number}"}
        tables.put(made.source, {"id": {"S": f"i{number}"}, "n": {"N": str(number)}, "note": note})
    return made


def test_both_sides(stage: Stage) -> None:
    """Items that pass and one that doesn't, without a destination; nothing is written."""
    before = stage.tables.items(stage.source)
    outcomes = {item["key"]["id"]["S"]: item["outcome"] for item in stage.items(*VIEW)}
    assert outcomes == {"i0": "written", "i1": "written", "i2": "filtered"}
    assert stage.tables.items(stage.source) == before


def test_no_more_than_asked_for(stage: Stage) -> None:
    """So many of the table's items."""
    assert len(stage.items("--items", "2")) == 2


def test_items_by_key(stage: Stage) -> None:
    """In the order in which they were named; one that is not there makes the exit status 1."""
    keys = [part for name in ("i2", "none", "i0") for part in ("--key", json.dumps({"id": {"S": name}}))]
    assert [item["outcome"] for item in stage.items(*keys, *VIEW)] == ["filtered", "missing", "written"]
    assert stage.run(*keys, *VIEW)[0] == 1
    assert stage.run(*keys[:2], *VIEW)[0] == 0


def test_for_people(stage: Stage) -> None:
    """Names and what becomes of them; values only where they were asked for."""
    status, said, _ = stage.run(*VIEW)
    assert status == 0
    assert "left out" in said
    assert "the filter is not true of it" in said
    assert "secret" not in said
    assert "secret-0" in stage.run(*VIEW, "--values")[1]


def test_a_terminal_obeys_no_item(stage: Stage) -> None:
    """Escapes in names and values are shown, not sent."""
    stage.tables.put(stage.source, {"id": {"S": "\x1b[31mred"}, "x\x1b]0;title\x07": {"S": "\x1b[2J"}})
    said = stage.run("--values")[1]
    assert "\x1b" not in said
    assert "\x07" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--filter", "n = = :n"], "filter"),
        (["--key", '{"other":{"S":"a"}}'], "--key: it is no key of source table"),
        (["--key", '{"id":{"N":"1"}}'], "--key: it is no key of source table"),
        (["--excludeAttributes", "id"], "excludeAttributes"),
        (["--items", "0"], "--items"),
    ],
)
def test_what_can_t_be_used(stage: Stage, words: list[str], message: str) -> None:
    """It is said before an item is read."""
    status, said, errors = stage.run(*words)
    assert status == 22
    assert message in errors
    assert "secret" not in said + errors


def test_no_source(stage: Stage) -> None:
    """It is no outage."""
    status, _, errors = stage.run("--sourceTable", "nowhere")
    assert status == 22
    assert "there is none" in errors


def test_an_empty_source(stage: Stage) -> None:
    """It is said."""
    status, said, _ = stage.run("--sourceTable", stage.tables.create())
    assert (status, "The source has no item." in said) == (0, True)
