"""A change that the destination will never accept, by each policy, on the real daemon."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processor.aws.clients import Clients
from processor.replication.dead_letters import census
from processor.state.status import lag, report, snapshot
from processor.state.status.report import StatusReport
from tests import schemas
from tests.fakes.daemon.fleet import Fleet
from tests.fakes.daemon.log_line import parse_json
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.network.http_server import HttpServer
from tests.fakes.patience import until
from tests.fakes.task import tasks
from tests.scenarios.conftest import MakeFleet, Pair

MakeReplicator = Callable[..., Replicator]


def refuse_numbers(pair: Pair) -> None:
    """Make the destination anew, with an index that wants ``code`` to be a string.

    DynamoDB Local may take minutes to add an index to a table that is there.
    """
    pair.destination.delete_table(TableName=pair.destination_table)
    pair.destination.create_table(
        TableName=pair.destination_table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "code")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-code",
                "KeySchema": [{"AttributeName": "code", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def accept_numbers(pair: Pair) -> None:
    """Remove that index, and wait until it is gone: until then any write may fail."""
    pair.destination.update_table(
        TableName=pair.destination_table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-code"}}]
    )

    def gone() -> bool:
        described = pair.destination.describe_table(TableName=pair.destination_table)["Table"]
        return "GlobalSecondaryIndexes" not in described

    until(gone, "the index gone", pause_seconds=0.2)


def _status(given: dict[str, str]) -> StatusReport:
    settings = tasks.task(**given)
    return report.make(
        settings, snapshot.read(settings, Clients(settings, connections=lag.THREADS), census.count), max_lag_seconds=60
    )


def test_a_held_shard_holds_up_nothing_else(make_fleet: MakeFleet) -> None:
    """The default: the shard waits at the change, which is said once and by ``status``; the others go on.

    A stop is clean, a restart meets the change again, and once it is accepted the shard goes on by itself. Whoever is
    to be told is told when they listen, without the key; their token is written nowhere.
    """
    with HttpServer(page=b"ok", status=503) as receiver:
        _hold_a_shard(make_fleet(shards=3, notifyUri=f"{receiver.endpoint}/T0K3N?key=T0K3N"), receiver)


def _hold_a_shard(fleet: Fleet, receiver: HttpServer) -> None:
    refusal = fleet.proxy.inject(
        faults.error("ValidationException"), "BatchWriteItem", "PutItem", when=lambda call: b'"bad"' in call.body
    )
    daemon = fleet.start()
    fleet.simulator.put({"id": {"S": "bad"}, "secret": {"S": "hush-hush"}})
    until(lambda: "ERROR held " in daemon.console, "the message")
    (bad,) = fleet.simulator.history
    others = [f"other-{number}" for number in range(30)]
    for key in others:
        fleet.simulator.put({"id": {"S": key}})
    behind = {event.key["id"]["S"] for event in fleet.simulator.history if event.shard_id == bad.shard_id}
    until(lambda: all(map(fleet.replicated, set(others) - behind)), "the other shards' changes")
    assert not any(map(fleet.replicated, behind))
    lease = fleet.lease(bad.shard_id)
    assert lease is not None
    assert lease.checkpoint == "TRIM_HORIZON"
    (line,) = [line for line in daemon.console.splitlines() if "ERROR held " in line]
    for words in ("ERROR", bad.shard_id, bad.sequence_number, fleet.destination_table, "bad", "onError=deadLetter"):
        assert words in line
    until(lambda: [each.kind for each in _status(fleet.settings).holds] == ["hold"], "the row")
    found = _status(fleet.settings)
    assert found.exit_status == 1
    assert f"shard {bad.shard_id}" in {each.object for each in found.findings}
    until(lambda: "WARNING notice_not_sent " in daemon.console, "that nobody listens")
    receiver.status = 200
    message = until(lambda: next((each for each in _told(receiver) if each["event"] == "held"), None), "the message")
    assert message["wrong"][0]["command"] == "./run.sh check FILE"
    assert '"bad"' not in message["text"]

    assert daemon.stop() == 0
    daemon.start()
    until(lambda: daemon.console.count("ERROR held ") == 2, "the message, again")
    refusal.clear()
    until(lambda: daemon.events("held_over"), "the end of it")
    fleet.wait_equal()
    until(lambda: not _status(fleet.settings).holds, "no hold")
    row = until(lambda: _notified(fleet), "the row by which the next caretaker knows what was told")
    assert int(row["number"]["N"]) >= message["number"]
    assert daemon.stop() == 0
    said = daemon.console + daemon.log() + daemon.log("kcl.log")
    assert "hush-hush" not in said
    assert len(daemon.events("notice_not_sent")) == 1
    assert "T0K3N" not in said


def _told(receiver: HttpServer) -> list[dict[str, Any]]:
    """What was posted, taken or not."""
    for request in receiver.requests:
        schemas.hold("notification.v1", request.body.decode())
        assert request.path == "/T0K3N?key=T0K3N"
    return [json.loads(request.body) for request in receiver.requests]


def _notified(fleet: Fleet) -> dict[str, Any]:
    """What the caretakers' row has of it."""
    settings = tasks.task(**fleet.settings)
    row = Clients(settings).checkpoints().get_item(TableName=settings.task_table, Key={"name": {"S": "caretaker"}})
    return dict(row.get("Item", {}).get("notified", {}).get("M", {}))


def test_stop_names_the_change_and_keeps_it(pair: Pair, replicator: MakeReplicator) -> None:
    """onError=stop ends with 22 and one message; every restart meets the change again until it is accepted."""
    refuse_numbers(pair)
    pair.put("good", code={"S": "x"})
    with replicator(pair.settings | {"onError": "stop"}) as running:
        pair.wait_for("good")
        pair.put("bad", code={"N": "1"}, secret={"S": "hush-hush"})
        assert running.wait() == 22
        for words in (
            pair.destination_table,
            '{\\"id\\":{\\"S\\":\\"bad\\"}}',
            "sequence number",
            "ValidationException",
        ):
            assert words in running.console
        assert "hush-hush" not in running.console + running.log() + running.log("kcl.log")

        pair.put("after", code={"S": "y"})
        running.start()
        assert running.wait() == 22
        assert "bad" not in pair.replicated()

        pair.put("bad", code={"S": "now a string"})
        accept_numbers(pair)
        running.start()
        pair.wait_equal()
        assert running.stop() == 0


def test_dead_letters_set_it_aside_and_go_on(pair: Pair, replicator: MakeReplicator, tmp_path: Path) -> None:
    """DeadLetter writes the change where it was told to, applies all the others, and checkpoints past it.

    With logFormat=json, every line that the daemon and its children write says so as an event.
    """
    refuse_numbers(pair)
    file = tmp_path / "dead letters.jsonl"
    uri = file.as_uri()
    settings = pair.settings | {"onError": "deadLetter", "deadLetterUri": uri, "logFormat": "json"}
    with replicator(settings) as running:
        for number in range(20):
            pair.put(f"good-{number}", code={"S": "x"})
        pair.put("bad", code={"N": "1"}, other={"L": [{"B": b"\x00\xff"}]})
        for number in range(20, 40):
            pair.put(f"good-{number}", code={"S": "x"})
        pair.wait_for("good-39")
        until(lambda: len(pair.replicated()) == 40, "the forty others")
        until(file.exists, "the dead letter")
        (letter,) = [json.loads(line) for line in file.read_text().splitlines()]
        assert letter["key"] == {"id": {"S": "bad"}}
        assert letter["newImage"] == {"id": {"S": "bad"}, "code": {"N": "1"}, "other": {"L": [{"B": "AP8="}]}}
        assert pair.destination_table == letter["table"]
        assert letter["error"] == "ValidationException"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        until(lambda: '"event":"set_aside"' in running.console, "a line on the console")
        assert running.stop() == 0
        console = running.console.split("\n")
        banner = [line for line in console if not line.startswith("{")]
        assert [*console[: len(banner) - 1], ""] == banner, "nothing but events after the start"
        events = [parse_json(line) for line in console[len(banner) - 1 : -1]]
        assert {("NOTICE", "shard_started"), ("ERROR", "set_aside")} <= {(e["level"], e["event"]) for e in events}
        logged = [parse_json(line) for line in running.log().split("\n")[:-1]]
        assert ("INFO", "applied") in {(e["level"], e["event"]) for e in logged}
        assert "library" in {parse_json(line)["event"] for line in running.log("kcl.log").split("\n")[:-1]}

        pair.put("later")
        running.start()
        pair.wait_for("later")
        assert len(file.read_text().splitlines()) == 1
        assert running.stop() == 0
