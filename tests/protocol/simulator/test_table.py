"""The table whose stream it is."""

from __future__ import annotations

from processor.commands.demo.workload import scan
from tests.fakes.streams.stream_reader import Reader
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.protocol.simulator.conftest import item, refused


def test_scans_of_several_pages(simulator: StreamsSimulator, reader: Reader) -> None:
    """A page of a scan ends at ``Limit``, or once it has 1 MB; the next one goes on, also where its key is deleted."""
    for number in range(12):
        simulator.put(item(number, x={"S": "x" * 300 * 1024}))
    assert simulator.items() == scan(reader.db, "source")
    first = reader.db.scan(TableName="source", Limit=3)
    simulator.delete(first["LastEvaluatedKey"])
    rest = reader.db.scan(TableName="source", ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [first["Count"], rest["Count"]] == [3, 4]
    assert not {each["id"]["S"] for each in first["Items"]} & {each["id"]["S"] for each in rest["Items"]}


def test_large_reads_are_cut(simulator: StreamsSimulator, reader: Reader) -> None:
    """BatchGetItem gives 16 MB; the keys of the rest come back as unprocessed."""
    for number in range(50):
        simulator.put(item(number, x={"S": "x" * 390 * 1024}))
    wanted = [item(number) for number in range(50)]
    answer = reader.db.batch_get_item(RequestItems={"source": {"Keys": wanted}})
    assert wanted[len(answer["Responses"]["source"]) :] == answer["UnprocessedKeys"]["source"]["Keys"]
    assert len(answer["Responses"]["source"]) == 42


def test_keys_of_two_parts() -> None:
    """Items are told apart by both parts; the first alone decides about the shard."""
    with StreamsSimulator(shards=8, key=("order:S", "line:N")) as simulator:
        for line in range(20):
            simulator.put({"order": {"S": "a"}, "line": {"N": str(line)}})
        simulator.delete({"order": {"S": "a"}, "line": {"N": "7"}})
        assert len({event.shard_id for event in simulator.history}) == 1
        assert {("a", str(line)) for line in range(20) if line != 7} == simulator.items().keys()


def test_what_is_not_simulated_is_refused(simulator: StreamsSimulator, reader: Reader) -> None:
    """A condition, a filter or an index is never ignored."""
    with refused("Not simulated: ConditionExpression"):
        reader.db.put_item(TableName="source", Item=item(1), ConditionExpression="attribute_not_exists(id)")
    with refused("Not simulated: ProjectionExpression"):
        reader.db.batch_get_item(RequestItems={"source": {"Keys": [item(1)], "ProjectionExpression": "id"}})
    assert simulator.items() == {}


def test_a_table_filled_for_a_benchmark(simulator: StreamsSimulator, reader: Reader) -> None:
    """It is as if each item was put."""
    simulator.fill(2000, item_bytes=300)
    (record, *_) = reader.records(simulator.shards()[0].id)
    assert len(simulator.items()) == len(simulator.history) == 2000
    assert sum(len(reader.records(shard.id)) for shard in simulator.shards()) == 2000
    assert 290 <= record["dynamodb"]["SizeBytes"] <= 330
    assert simulator.items() == scan(reader.db, "source")
