"""Two tables that applications write to, kept equal by real children on DynamoDB Local."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.replication.stream_record import decode
from processor.replication.two_way.marker import Markers
from tests.conftest import Tables
from tests.protocol.two_way.planted import BUGS
from tests.protocol.two_way.sides import NAME, Sides, both

_KEYS = ("a", "b", "c")
_WRITES = 60


def _echo(sides: Sides) -> None:
    """Both write the same key before either hears of the other; the last arrival wins."""
    sides.put(sides.hub, "k", 1)
    sides.put(sides.spoke, "k", 2)
    sides.mirror.go()
    sides.uplink.go()


def _returning(sides: Sides) -> None:
    """The hub deletes an item and puts the same again."""
    sides.put(sides.hub, "k", 1)
    sides.delete(sides.hub, "k")
    sides.put(sides.hub, "k", 1)
    sides.mirror.go(1)
    sides.mirror.go(1)
    sides.uplink.go()


def _old_marker(sides: Sides) -> None:
    """An application at the spoke writes what it has read and changed, marker and all, over a put of another one."""
    sides.put(sides.hub, "k", 1)
    sides.mirror.go()
    (read,) = sides.stored(sides.spoke)
    sides.put(sides.spoke, "k", 2)
    sides.put(sides.spoke, "k", 3, **{NAME: read[NAME]})


SCENES: dict[str, tuple[Callable[[Sides], None], list[Any]]] = {
    "echoes are not mirrored": (_echo, [{"id": {"S": "k"}, "v": {"N": "2"}, "by": {"S": "spoke"}}]),
    "deletes are not marked": (_returning, [{"id": {"S": "k"}, "v": {"N": "1"}, "by": {"S": "hub"}}]),
    "no digest": (_old_marker, [{"id": {"S": "k"}, "v": {"N": "3"}, "by": {"S": "spoke"}}]),
}


@pytest.mark.parametrize(("scene", "bug"), [(scene, bug) for scene in SCENES for bug in (None, scene)])
def test_each_scene_ends_well(
    scene: str, bug: str | None, dynamodb: DynamoDBLocal, tables: Tables, tmp_path: Path
) -> None:
    """Both sides end with what was written last; the bug that a scene is named after shows there."""
    play, expected = SCENES[scene]
    with both(dynamodb, tables, tmp_path, planted=bug, conflicts="lastArrival", coalesce=False) as sides:
        play(sides)
        sides.settle()
        ends_well = sides.are_equal and sides.items(sides.hub) == expected
    assert ends_well == (bug is None)


def test_each_bug_has_a_scene() -> None:
    """Where it shows."""
    assert SCENES.keys() == BUGS.keys()


def test_conflicts_are_kept(dynamodb: DynamoDBLocal, tables: Tables, tmp_path: Path) -> None:
    """The loser of two writes is in the file, with the winner; everything else is at both sides."""
    file = tmp_path / "conflicts.jsonl"
    with both(dynamodb, tables, tmp_path, conflict_uri=f"file://{file}") as sides:
        sides.put(sides.hub, "k", 1)
        sides.mirror.go()
        sides.update(sides.hub, "k", 2)
        sides.update(sides.spoke, "k", 3)
        sides.put(sides.spoke, "other", 4)
        assert sides.settle() > 0
        assert sides.are_equal
        assert {item["id"]["S"]: item["v"]["N"] for item in sides.items(sides.hub)} == {"k": "2", "other": "4"}
        (record,) = [json.loads(line) for line in file.read_text().splitlines()]
        first = sides.mirror.stream.records[0].sequence_number
        log = "\n".join(sides.uplink.child.events("conflict"))
    assert (record["outcome"], record["hubTable"], record["spokeTable"]) == ("hubWins", sides.hub, sides.spoke)
    assert (record["key"], record["hubSequenceNumber"]) == ({"id": {"S": "k"}}, first.lstrip("0"))
    images = [record[name] and record[name]["v"]["N"] for name in ("spokeOldImage", "spokeImage", "hubImage")]
    assert images == ["1", "3", "2"]
    assert NAME not in json.dumps(record)
    assert "hubWins" in log
    assert str(file) in log


def test_what_an_applications_write_costs(dynamodb: DynamoDBLocal, tables: Tables, tmp_path: Path) -> None:
    """Writes at hub and spoke, the application's own among them."""
    with both(dynamodb, tables, tmp_path) as sides:

        def costs() -> tuple[int, int]:
            before = sides.mirror.passed, sides.uplink.passed
            sides.settle()
            return sides.mirror.passed - before[0], sides.uplink.passed - before[1]

        sides.put(sides.hub, "k", 1)
        assert costs() == (1, 1)
        sides.update(sides.spoke, "k", 2)
        assert costs() == (1, 2)  # the spoke's item gets its marker's new number
        sides.put(sides.spoke, "other", 3)
        assert costs() == (1, 2)
        sides.delete(sides.spoke, "other")
        assert costs() == (1, 1)
        sides.delete(sides.hub, "k")
        assert costs() == (1, 2)  # a mark, then the removal
        assert sides.are_equal


def test_what_follows_at_the_spoke_is_one_write_at_the_hub(
    dynamodb: DynamoDBLocal, tables: Tables, tmp_path: Path
) -> None:
    """So what has come and gone does not come again after a crash, nor is an entry made of what has got to the hub."""
    file = tmp_path / "conflicts.jsonl"
    with both(dynamodb, tables, tmp_path, conflict_uri=f"file://{file}") as sides:
        for value in (1, 2, 3):
            sides.put(sides.spoke, "changed", value)
        sides.put(sides.spoke, "gone", 1)
        sides.uplink.die()
        sides.delete(sides.spoke, "gone")
        sides.uplink.die()
        sides.put(sides.spoke, "changed", 4)
        sides.settle()
        assert sides.are_equal
        records = [json.loads(record.data)["dynamodb"] for record in sides.mirror.stream.records]
    images = [(record["Keys"]["id"]["S"], record.get("NewImage", {}).get("v")) for record in records]
    assert sorted(images[:2]) == [("changed", {"N": "3"}), ("gone", {"N": "1"})]
    assert images[2:] == [("gone", None), ("changed", {"N": "4"})]
    assert not file.exists()


def test_an_uplink_waits_for_its_conflicts(dynamodb: DynamoDBLocal, tables: Tables, tmp_path: Path) -> None:
    """Where a conflict can't be stored, its record doesn't count as applied: the shard is held there."""
    file = tmp_path / "is a folder"
    file.mkdir()
    with both(dynamodb, tables, tmp_path, conflict_uri=f"file://{file}") as sides:
        sides.put(sides.hub, "k", 1)
        sides.put(sides.spoke, "k", 2)
        sides.uplink.stream.read()
        sides.uplink.child.send_records(*sides.uplink.stream.records)
        sides.uplink.child.wait_for_event("held")
        sides.uplink.child.expect_silence()
        log = "\n".join(sides.uplink.child.events("held"))
    assert "The conflicts in" in log
    assert "is not applied" in log


@pytest.mark.parametrize("policy", ["hubWins", "lastArrival"])
def test_writers_on_both_sides(policy: str, dynamodb: DynamoDBLocal, tables: Tables, tmp_path: Path) -> None:
    """Hot keys, deletes and markers that applications keep, both children killed: it ends, and both are equal."""
    file = tmp_path / "conflicts.jsonl"
    with both(dynamodb, tables, tmp_path, conflicts=policy, conflict_uri=f"file://{file}") as sides:
        written: dict[str, set[str]] = {sides.hub: set(), sides.spoke: set()}
        writers = [
            threading.Thread(target=_write, args=(sides, table, number, written[table]))
            for number, table in enumerate(written)
        ]
        for writer in writers:
            writer.start()
        chance = random.Random(7)
        while any(writer.is_alive() for writer in writers):
            direction = chance.choice([sides.mirror, sides.uplink])
            if chance.random() < 0.1:
                direction.die()
            else:
                direction.go(chance.choice([1, 3, 100]))
        for writer in writers:
            writer.join()
        sides.settle()
        assert sides.are_equal
        writes = len(sides.mirror.stream.records) + len(sides.uplink.stream.records)
        images = [json.loads(record.data)["dynamodb"].get("NewImage") or {} for record in sides.mirror.stream.records]
    assert writes <= 2 * _WRITES * 3 + 2 * _WRITES  # a delete at the spoke takes two, and a conflict's loser one
    reached = {image["v"]["N"] for image in images if image}
    conflicts = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    lost = {each["spokeImage"]["v"]["N"] for each in conflicts if each["spokeImage"]}
    assert written[sides.spoke] <= reached | lost | _covered(sides)


def _covered(sides: Sides) -> set[str]:
    """Values that applications at the spoke have written over there, which need not get to the hub."""
    data = b"[%b]" % b",".join(record.data for record in sides.uplink.stream.records)
    writes = [write for change in decode(data, spoke=Markers(NAME)) for write in change.spoke_writes]
    return {json.loads(bytes(write.old))["v"]["N"] for write in writes if write.old is not None}


def _write(sides: Sides, table: str, number: int, written: set[str]) -> None:
    chance = random.Random(number)
    for turn in range(_WRITES):
        key, value = chance.choice(_KEYS), 1000 * number + turn
        act = chance.choice(["put", "put", "update", "update", "delete"])
        if act == "delete":
            sides.delete(table, key)
        else:
            (sides.put if act == "put" else sides.update)(table, key, value)
            written.add(str(value))
