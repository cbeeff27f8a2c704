"""Shards: which keys they hold, how they end, who follows them."""

from __future__ import annotations

import itertools

import pytest

from tests.fakes.streams.simulated_stream import HASH_BITS
from tests.fakes.streams.stream_reader import Reader
from tests.fakes.streams.streams_simulator import StreamsSimulator, changes
from tests.protocol.simulator.conftest import item, put


def test_a_keys_records_are_in_one_shard(simulator: StreamsSimulator, reader: Reader) -> None:
    """Every record is in exactly one shard, all of a key in the same, and in the order in which they were made."""
    for kind, each in itertools.islice(changes(1, keys=50), 500):
        simulator.put(each) if kind == "put" else simulator.delete(each)
    by_shard = {shard["ShardId"]: reader.records(shard["ShardId"]) for shard in reader.describe()["Shards"]}
    assert all(by_shard.values())
    of_key: dict[str, set[str]] = {}
    for event in simulator.history:
        of_key.setdefault(event.key["id"]["S"], set()).add(event.shard_id)
    assert {1} == {len(shards) for shards in of_key.values()}
    for shard_id, records in by_shard.items():
        expected = [(event.sequence_number, event.kind) for event in simulator.history if event.shard_id == shard_id]
        assert expected == [(record["dynamodb"]["SequenceNumber"], record["eventName"]) for record in records]


def test_children_carry_their_parents_keys_on(simulator: StreamsSimulator, reader: Reader) -> None:
    """A closed shard has an ending sequence number; its children name it, have greater numbers, and get its keys."""
    put(simulator, 200)
    parent, rolled = simulator.open_shards()[:2]
    left, right = simulator.split(parent.id)
    child = simulator.roll_over(rolled.id)
    for number in range(200):
        simulator.put(item(number, again={"BOOL": True}))
    shown = {shard["ShardId"]: shard for shard in reader.describe()["Shards"]}
    assert {left.id: parent.id, right.id: parent.id, child.id: rolled.id} == {
        shard_id: shard["ParentShardId"] for shard_id, shard in shown.items() if "ParentShardId" in shard
    }
    for closed, children in ((parent, [left, right]), (rolled, [child])):
        ending = shown[closed.id]["SequenceNumberRange"]["EndingSequenceNumber"]
        assert reader.records(closed.id)[-1]["dynamodb"]["SequenceNumber"] == ending
        for each in children:
            assert int(ending) < int(shown[each.id]["SequenceNumberRange"]["StartingSequenceNumber"])
        assert set(reader.keys(closed.id)) == {key for each in children for key in reader.keys(each.id)}
        assert all(reader.keys(each.id) for each in children)
    for each in simulator.open_shards():
        assert "EndingSequenceNumber" not in shown[each.id]["SequenceNumberRange"]
    ranges = [(shard.low, shard.high) for shard in simulator.open_shards()]
    assert [0, *(high + 1 for _, high in ranges)] == [*(low for low, _ in ranges), 1 << HASH_BITS]


def test_only_open_shards_end(simulator: StreamsSimulator) -> None:
    """A closed shard neither splits nor rolls over again."""
    shard = simulator.open_shards()[0].id
    simulator.roll_over(shard)
    with pytest.raises(ValueError, match="closed"):
        simulator.split(shard)


def test_pages_of_shards(simulator: StreamsSimulator, reader: Reader) -> None:
    """DescribeStream gives at most 100 shards, or ``Limit``, and where it stopped; children come after parents."""
    for _ in range(150):
        simulator.roll_over()
    first = reader.describe()
    second = reader.describe(ExclusiveStartShardId=first["LastEvaluatedShardId"])
    shown = [shard["ShardId"] for shard in first["Shards"] + second["Shards"]]
    assert [len(first["Shards"]), len(second["Shards"])] == [100, 54]
    assert "LastEvaluatedShardId" not in second
    assert [shard.id for shard in simulator.shards()] == shown == sorted(shown)
    assert shown[:7] == [shard["ShardId"] for shard in reader.describe(Limit=7)["Shards"]]
    one = first["Shards"][0]["ShardId"]
    (child,) = reader.describe(ShardFilter={"Type": "CHILD_SHARDS", "ShardId": one})["Shards"]
    assert one == child["ParentShardId"]


def test_shard_ids_and_sequence_numbers_have_awss_form(simulator: StreamsSimulator, reader: Reader) -> None:
    """Sequence numbers have 21 to 40 digits, shard ids 28 to 65 characters."""
    simulator.put(item(1))
    (event,) = simulator.history
    assert reader.describe()["Shards"][0]["ShardId"].startswith("shardId-00000001700000000")
    assert 28 <= len(event.shard_id) <= 65
    assert event.sequence_number.isdigit()
    assert 21 <= len(event.sequence_number) <= 40
