"""A stream that answers what is none of its answers, on the real daemon: said, waited for or ended by, nothing lost."""

from __future__ import annotations

import itertools
import json

from tests.fakes.network import garbage
from tests.fakes.network.faulty_server import Act, Exchange, Fault
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet

CONTENTS = "hush-item-contents"


def without(name: str) -> Act:
    """GetRecords' answer, whose records lack one of their parts."""

    def act(exchange: Exchange, _: Fault) -> None:
        answer = exchange.forward(exchange.body)
        content = json.loads(answer.body)
        for record in content["Records"]:
            record["dynamodb"].pop(name)
        exchange.reply(answer._replace(body=json.dumps(content).encode()))

    return act


def test_pages_that_are_cut_and_records_that_lack_their_key(make_fleet: MakeFleet) -> None:
    """Half a page is an outage; a record without its key is read again, then held, with no checkpoint past it.

    When it comes whole, it is applied.
    """
    fleet = make_fleet(shards=1)
    daemon = fleet.start()
    fleet.simulator.put({"id": {"S": "first"}})
    fleet.wait_equal()
    fault = fleet.simulator.inject(garbage.cut(0.6), "GetRecords")
    last = fleet.simulator.put({"id": {"S": "unread"}, "secret": {"S": CONTENTS}})
    assert last is not None
    fault.wait(8)
    fault.clear()
    fleet.wait_equal()
    assert daemon.events("stream_unreadable")

    before = [last.sequence_number]  # stored a moment after the item is there
    until(lambda: before == [lease.checkpoint for lease in fleet.leases()], "its checkpoint")
    damaged = fleet.simulator.inject(without("Keys"), "GetRecords")
    fleet.simulator.put({"id": {"S": "keyless"}, "secret": {"S": CONTENTS}})
    until(lambda: "WARNING read_again " in daemon.console, "the first look")
    until(lambda: "ERROR held " in daemon.console, "the second look")
    assert "`Keys`" in daemon.console
    assert "no checkpoint passes it" in daemon.console
    assert before == [lease.checkpoint for lease in fleet.leases()]
    damaged.clear()
    until(lambda: daemon.events("held_over"), "its end")
    fleet.wait_equal()
    assert daemon.stop() == 0
    assert CONTENTS not in daemon.console + daemon.log() + daemon.log("kcl.log")


def test_too_many_readers_of_a_shard(make_fleet: MakeFleet) -> None:
    """Reads that AWS refuses now and then are called by their cause, once in a while, and replication goes on."""
    fleet = make_fleet(shards=1)
    daemon = fleet.start()
    fleet.simulator.put({"id": {"S": "first"}})
    fleet.wait_equal()
    fleet.simulator.limit_reads(1)
    (shard,) = fleet.simulator.shards()
    keys = (f"key-{number}" for number in itertools.count())

    def said() -> bool:
        fleet.simulator.put({"id": {"S": next(keys)}})
        return "WARNING too_many_readers " in daemon.console

    until(said, "the warning", pause_seconds=0.2)
    assert f"shard={shard.id} error=LimitExceededException" in daemon.console
    fleet.wait_equal()
    fleet.simulator.limit_reads(None)
    assert "stream_unreadable" not in daemon.console
    assert "direct_calls_unused" not in daemon.console
    assert daemon.stop() == 0
    assert " ERROR " not in daemon.log("kcl.log")
