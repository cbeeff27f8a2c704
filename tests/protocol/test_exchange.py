"""A write on condition of the item that was read, asked of DynamoDB Local."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from processor.aws.timeouts import WriteTimeouts
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.dynamodb.items import same
from processor.replication.writer import OTHER, WritableTable
from tests.conftest import REGION, Tables
from tests.fakes.dynamodb.changes import delete, put
from tests.fakes.streams.stream_record import Item

# A value of each type, a name that DynamoDB reserves, and one that is not in ASCII.
THERE: Item = {
    "id": {"S": "k"},
    "status": {"N": "1.50"},
    "größe": {"B": "AP8="},
    "nothing": {"NULL": True},
    "set": {"NS": ["2", "10"]},
    "map": {"M": {"list": {"L": [{"SS": ["b", "a"]}, {"BOOL": False}, {"S": ""}]}}},
}


class Stage:
    """A table with the one key ``k``."""

    def __init__(self, dynamodb: DynamoDBLocal, tables: Tables) -> None:
        self._tables = tables
        self._name = tables.create()
        self._table = WritableTable(
            self._name,
            region=REGION,
            endpoint=dynamodb.endpoint,
            connections=1,
            timeouts=WriteTimeouts(connect=3, read=10),
        )

    def has(self, item: Item) -> None:
        """The item that is really there."""
        self._tables.call("PutItem", TableName=self._name, Item=item)

    def exchange(self, there: Item | None, *, put_it: bool = True) -> Any:
        """What a write over ``there`` was made over: an item, None, or ``OTHER``."""
        before = self._table.exchange(put("k", "new") if put_it else delete("k"), _raw(there))
        return before if before is OTHER or before is None else msgspec.json.decode(before)

    @property
    def values(self) -> list[str | None]:
        """The table's items' ``value``."""
        return [item.get("value", {}).get("S") for item in self._tables.items(self._name)]


def _raw(item: Item | None) -> msgspec.Raw | None:
    return None if item is None else msgspec.Raw(msgspec.json.encode(item))


@pytest.fixture
def stage(dynamodb: DynamoDBLocal, tables: Tables) -> Stage:
    """An empty one."""
    return Stage(dynamodb, tables)


def test_what_is_as_it_was_read_is_written_over(stage: Stage) -> None:
    """An item, or none; the answer has it."""
    assert (stage.exchange(None), stage.values) == (None, ["new"])
    stage.has(THERE)
    assert same(_raw(stage.exchange(THERE)), _raw(THERE))
    assert stage.values == ["new"]
    stage.has(THERE)
    assert same(_raw(stage.exchange(THERE, put_it=False)), _raw(THERE))
    assert stage.values == []
    assert stage.exchange(None, put_it=False) is None


@pytest.mark.parametrize("name", [name for name in THERE if name != "id"])
def test_what_is_another_one_stays(stage: Stage, name: str) -> None:
    """Where one attribute is another one, or gone, or the whole item is, or has come."""
    for really in (THERE | {name: {"S": "another"}}, {key: value for key, value in THERE.items() if key != name}):
        stage.has(really)
        for put_it in (True, False):
            assert stage.exchange(THERE, put_it=put_it) is OTHER
            assert stage.exchange(None, put_it=put_it) is OTHER
    assert stage.values == [None]


def test_what_has_gone_does_not_come_back(stage: Stage) -> None:
    """Neither by a put nor by a delete that was to be one of an item."""
    assert stage.exchange(THERE) is OTHER
    assert stage.exchange(THERE, put_it=False) is OTHER
    assert stage.values == []


def test_more_attributes_are_seen_in_the_answer(stage: Stage) -> None:
    """No condition can ask for their absence; nor, for all of them, where there are hundreds."""
    stage.has(THERE | {"more": {"S": "x"}})
    assert stage.exchange(THERE)["more"] == {"S": "x"}
    many: Item = THERE | {f"a{number}": {"N": str(number)} for number in range(400)}
    stage.has(many)
    assert same(_raw(stage.exchange(many)), _raw(many))
    stage.has(many | {"status": {"S": "another"}})
    assert stage.exchange(many) is OTHER
