"""No single answer of the source's stream is believed where that could lose a change; it is looked at again."""

from __future__ import annotations

import json
import time
from functools import partial

import pytest

from processor.state.leases import SHARD_END
from tests.fakes.daemon.fleet import Fleet
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.network.faulty_server import Act, Exchange, Fault
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet

NOT_FOUND = faults.error("ResourceNotFoundException")
DAY_BEFORE = 7 * 3600.0  # older than the six hours for which the adapter keeps every lease


def put(fleet: Fleet, prefix: str, count: int = 10) -> None:
    """Write some items to the source."""
    for number in range(count):
        fleet.simulator.put({"id": {"S": f"{prefix}-{number}"}})


def without(name: str) -> Act:
    """The answer, of which a part is missing at any depth."""

    def pruned(content: object) -> object:
        if isinstance(content, dict):
            return {key: pruned(value) for key, value in content.items() if key != name}
        return [pruned(each) for each in content] if isinstance(content, list) else content

    def act(exchange: Exchange, _: Fault) -> None:
        answer = exchange.forward(exchange.body)
        exchange.reply(answer._replace(body=json.dumps(pruned(json.loads(answer.body))).encode()))

    return act


def no_shards(exchange: Exchange, _: Fault) -> None:
    """The answer to DescribeStream, with an empty list of shards."""
    answer = exchange.forward(exchange.body)
    content = json.loads(answer.body)
    content["StreamDescription"]["Shards"] = []
    exchange.reply(answer._replace(body=json.dumps(content).encode()))


def is_full_listing(exchange: Exchange) -> bool:
    """Whether all shards are asked for, not one shard's children."""
    return b"ShardFilter" not in exchange.body


def checkpoints(fleet: Fleet) -> dict[str, str | None]:
    """Of all shards."""
    return {lease.shard_id: lease.checkpoint for lease in fleet.all_leases()}


def test_a_page_without_a_next_iterator_does_not_end_an_open_shard(make_fleet: MakeFleet) -> None:
    """The shard is read on from where it was, whatever the wrong page lacks; that is said once."""
    fleet = make_fleet(shards=1)
    shard = fleet.simulator.open_shards()[0].id
    daemon = fleet.start()
    put(fleet, "first")
    fleet.wait_equal()
    bodies = ({}, {"Records": []}, {"Records": None}, {"Records": {}}, {"NextShardIterator": ""})
    for number, body in enumerate(bodies * 2):
        fleet.simulator.inject(faults.answer(body), "GetRecords", times=1).wait()
        put(fleet, f"after-{number}", 3)
    fleet.wait_equal()
    assert len(daemon.events("shard_end_refuted")) == 1
    assert "shard_ended" not in daemon.log()
    assert checkpoints(fleet)[shard] != SHARD_END
    assert daemon.stop() == 0


def test_a_stream_that_gives_only_wrong_answers_is_said(make_fleet: MakeFleet) -> None:
    """Whatever each answer is, and however soon after another outage: nothing is read meanwhile."""
    fleet = make_fleet(shards=1)
    daemon = fleet.start()
    put(fleet, "first")
    fleet.wait_equal()
    for act, event in (
        (faults.answer({"Records": []}), "shard_unreadable"),
        (faults.error("ResourceNotFoundException"), "stream_unreadable"),
        (faults.error("ExpiredIteratorException"), "stream_unreadable"),
        (faults.error("TrimmedDataAccessException"), "stream_unreadable"),
        (faults.error("InternalServerError"), "stream_unreadable"),
    ):
        said = len(daemon.events(event))
        fault = fleet.simulator.inject(act, "GetRecords")
        put(fleet, "meanwhile")
        until(lambda event=event, said=said: len(daemon.events(event)) > said, f"{event}, of {act}")
        fault.clear()
        fleet.wait_equal()
    until(lambda: daemon.events("shard_unreadable_over"), "the end of the first")
    assert daemon.stop() == 0


def test_a_page_without_a_next_iterator_does_not_end_a_closed_shard(make_fleet: MakeFleet) -> None:
    """A closed shard with a backlog, its children known, is read to its end all the same, before its child."""
    fleet = make_fleet(shards=1)
    parent = fleet.simulator.open_shards()[0].id
    put(fleet, "parent", 30)
    child = fleet.simulator.roll_over(parent).id
    put(fleet, "child", 30)
    daemon = fleet.start(batchSize="10")
    fault = fleet.simulator.inject(faults.answer({"Records": []}), "GetRecords", times=2)
    fault.wait(2)
    fleet.wait_equal()
    until(lambda: checkpoints(fleet).get(parent) == SHARD_END, "the parent's end")
    until(lambda: str(checkpoints(fleet).get(child)).isdigit(), "the child's checkpoint")
    assert daemon.stop() == 0


def test_a_shard_ends_only_when_its_children_are_known(make_fleet: MakeFleet) -> None:
    """While DescribeStream can't be believed a shard's end is not either; no child is forgotten."""
    fleet = make_fleet(shards=1)
    daemon = fleet.start()
    put(fleet, "before")
    fleet.wait_equal()
    parent = fleet.simulator.open_shards()[0].id
    for act in (NOT_FOUND, faults.answer({}), without("Shards"), without("StreamStatus"), no_shards):
        fault = fleet.simulator.inject(act, "DescribeStream")
        fleet.simulator.roll_over(parent)
        put(fleet, f"{parent}-child")
        fault.wait(2)
        assert checkpoints(fleet)[parent] != SHARD_END
        fault.clear()
        fleet.wait_equal()
        parent = fleet.simulator.open_shards()[0].id
    assert daemon.process.poll() is None
    assert daemon.stop() == 0


@pytest.mark.parametrize("operation", ["GetRecords", "GetShardIterator"])
def test_a_shard_that_is_not_found_once(operation: str, make_fleet: MakeFleet) -> None:
    """The stream still lists it: it is read on, and nothing is lost or said to be."""
    fleet = make_fleet(shards=2)
    daemon = fleet.start()
    put(fleet, "first")
    fleet.wait_equal()
    if operation == "GetShardIterator":
        assert daemon.stop() == 0
    fault = fleet.simulator.inject(NOT_FOUND, operation, times=3)
    if operation == "GetShardIterator":
        daemon.start()
    fault.wait(3)
    put(fleet, "second")
    fleet.wait_equal()
    assert "changes_lost" not in daemon.console
    assert daemon.stop() == 0


@pytest.mark.parametrize("operation", ["GetRecords", "GetShardIterator"])
def test_an_iterator_that_is_none_is_not_used_on(operation: str, make_fleet: MakeFleet) -> None:
    """What the stream won't take back is asked for anew, from where the shard stands."""
    fleet = make_fleet(shards=1)
    body: dict[str, object] = {"ShardIterator": "5"}
    if operation == "GetRecords":
        body = {"Records": [], "NextShardIterator": "5"}
    fault = fleet.simulator.inject(faults.answer(body), operation, times=1)
    daemon = fleet.start()
    fault.wait()
    put(fleet, "after")
    fleet.wait_equal()
    assert daemon.stop() == 0


@pytest.mark.parametrize("body", [{}, {"ShardIterator": None}, {"ShardIterator": ""}], ids=["empty", "null", "no text"])
def test_an_answer_without_an_iterator_ends_no_shard(body: dict[str, object], make_fleet: MakeFleet) -> None:
    """GetShardIterator's answer lacks its iterator: it is asked for again."""
    fleet = make_fleet(shards=1)
    fault = fleet.simulator.inject(faults.answer(body), "GetShardIterator", times=2)
    daemon = fleet.start()
    fault.wait(2)
    put(fleet, "first")
    fleet.wait_equal()
    assert "shard_ended" not in daemon.log()
    assert daemon.stop() == 0


def test_no_lease_goes_for_an_answer_that_was_no_listing(make_fleet: MakeFleet) -> None:
    """KCL's shard sync, which runs a minute after a start, removes no lease where the stream could not be listed.

    Four fleets, each with an answer of its own, wait for that minute together.
    """
    acts = (NOT_FOUND, without("Shards"), no_shards, faults.answer({}))
    fleets = [make_fleet(shards=2, clock=lambda: time.time() - DAY_BEFORE) for _ in acts]
    daemons = [fleet.start() for fleet in fleets]
    for prefix in ("first", "second"):
        for fleet in fleets:
            put(fleet, prefix)
        for fleet in fleets:
            fleet.wait_equal()
            if prefix == "first":
                fleet.simulator.roll_over()
    for fleet in fleets:
        until(lambda fleet=fleet: SHARD_END in checkpoints(fleet).values(), "the shard's end")
    before = [checkpoints(fleet) for fleet in fleets]
    injected = [fleet.simulator.inject(act, "DescribeStream") for fleet, act in zip(fleets, acts, strict=True)]
    for fleet, daemon, leases in zip(fleets, daemons, before, strict=True):
        until(partial(synced, daemon), "a shard sync that failed")
        put(fleet, "third")
        fleet.wait_equal()
        assert checkpoints(fleet).keys() == leases.keys()
    for fleet, daemon, fault in zip(fleets, daemons, injected, strict=True):
        fault.clear()
        put(fleet, "fourth")
        fleet.wait_equal()
        assert "changes_lost" not in daemon.console
        assert daemon.stop() == 0


def synced(daemon: Replicator) -> bool:
    """Whether KCL has tried its periodic shard sync since the start."""
    return "Caught exception running SHARDSYNC task" in daemon.log("kcl.log")
