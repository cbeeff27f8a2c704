"""docs/two-way.md's steps, typed as they stand: a spoke is promoted, and a direction was cut off for a day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import javaproperties
import msgspec

from processor.commands.demo.workload import create_table, scan
from processor.dynamodb.keys import identity_of
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.stamp import new_stamp
from processor.settings.definitions import CHECKPOINT_TABLE_PREFIX
from processor.settings.settings import UPLINK_SUFFIX
from processor.state import leases
from tests import pages
from tests.fakes.daemon.direction_probe import DirectionProbe
from tests.fakes.dynamodb.attribute_values import parsed
from tests.fakes.machine.shell import Shell
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import PATIENCE_SECONDS, until

# A change of a hub that has long been written to.
_HIGH = 10**30


def _put_replicated(client: Any, table: str, *keys: str, number: int = _HIGH) -> None:
    """As the mirror of a two-way task has written them."""
    markers = Markers("_replication")
    for key in keys:
        item = msgspec.Raw(msgspec.json.encode({"id": {"S": key}, "total": {"N": "9.50"}}))
        identity = identity_of(msgspec.Raw(msgspec.json.encode({"id": {"S": key}})))
        made = markers.put(item, identity, sequence_number=number, stamp=new_stamp())
        client.put_item(TableName=table, Item=parsed(msgspec.json.decode(made)))


def _without_markers(client: Any, table: str) -> dict[str, Any]:
    items = scan(client, table)
    for item in items.values():
        item.pop("_replication", None)
    return items


def _put(client: Any, table: str, *keys: str) -> None:
    for key in keys:
        client.put_item(TableName=table, Item={"id": {"S": key}, "total": {"N": "9.50"}})


def _task_file(shell: Shell, name: str, **changed: str) -> None:
    """A file that the page shows, with what makes its tables this server's."""
    made = {
        **javaproperties.loads(pages.shown("two-way.md", f"# {name}\n")),
        **dict.fromkeys(("sourceEndpoint", "destinationEndpoint"), shell.server.endpoint),
        "dontPublishCloudwatch": "true",
        "conflictUri": (shell.folder / f"{Path(name).stem}-conflicts.jsonl").as_uri(),
        **changed,
    }
    (shell.folder / name).parent.mkdir(exist_ok=True)
    (shell.folder / name).write_text(javaproperties.dumps(made, timestamp=False))


def _lines(shell: Shell, name: str) -> dict[str, dict[str, Any]]:
    """What verify has written to a file, by the key."""
    found = map(json.loads, (shell.folder / name).read_text().splitlines())
    return {each["key"]["id"]["S"]: each for each in found}


def test_two_way_s_life(shell: Shell) -> None:
    """A spoke is promoted and the old hub becomes its spoke; then a direction that was cut off for a day goes on."""
    blocks = shell.page("two-way.md")
    _promote(shell, blocks[:-3])
    for name in shell.client.list_tables()["TableNames"]:
        shell.client.delete_table(TableName=name)
    _cut_off(shell, blocks[-3:])


def _promote(shell: Shell, blocks: Sequence[str]) -> None:
    """What never arrived is listed, nothing is passed over, and all three tables end equal."""
    only_ap, unmark, copy_ap, start, never_arrived, copy_eu = blocks
    names = ("orders", "orders-us", "orders-ap")
    for name in names:
        create_table(shell.client, name, stream=name != "orders")
    _put(shell.client, "orders", "a", "b", "never arrived")
    # The old hub was written to long ago: what a stream says whose times are whole minutes, its later uplink would
    # take for changes after its first start, and bring "b" back.
    images: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    shell.client.update_table(TableName="orders", StreamSpecification=images)
    _put_replicated(shell.client, "orders-us", "a", "b")
    _put_replicated(shell.client, "orders-ap", "a", "b")
    _put(shell.client, "orders-ap", "only ap")
    _put(shell.client, "orders-us", "since")
    _task_file(shell, "orders.properties")
    _task_file(shell, "conf/orders-ap.properties")

    shell.run(only_ap, status=1)
    found = _lines(shell, "only-ap.jsonl")
    assert {key: each["outcome"] for key, each in found.items()} == {"only ap": "extra", "since": "missing"}
    assert found["only ap"]["item"]["total"] == {"N": "9.5"}
    _put(shell.client, "orders-us", "only ap")
    assert "unmark FILE --twoWay false" in shell.run(copy_ap.splitlines()[0], status=22)
    shell.run(unmark)
    shell.run(copy_ap)
    promoted = shell.begin(start)
    _wait_healthy(shell, "conf", 2)
    _put(shell.client, "orders-ap", "a")
    shell.client.delete_item(TableName="orders-us", Key={"id": {"S": "b"}})
    until(lambda: "b" not in scan(shell.client, "orders-ap"), "a change of the new hub")

    shell.run(never_arrived, status=1)
    found = _lines(shell, "never-arrived.jsonl")
    outcomes = {"never arrived": "missing", "b": "missing", "since": "extra", "only ap": "extra"}
    assert {key: each["outcome"] for key, each in found.items()} == outcomes
    _put(shell.client, "orders-us", "never arrived")
    _task_file(shell, "orders-eu.properties")
    shell.run(copy_eu)
    _wait_healthy(shell, "conf", 4)
    _put(shell.client, "orders", "from the old hub")
    for name in names:
        until(lambda: "from the old hub" in scan(shell.client, name), f"a spoke's write at {name}")  # noqa: B023  # at once
    kept = {"a", "never arrived", "only ap", "since", "from the old hub"}
    until(lambda: scan(shell.client, "orders").keys() == kept, "what the new hub has deleted is deleted")
    until(lambda: len({str(sorted(_without_markers(shell.client, name).items())) for name in names}) == 1, "all equal")
    promoted.terminate()
    assert promoted.wait(PATIENCE_SECONDS) == 0


def _cut_off(shell: Shell, blocks: Sequence[str]) -> None:
    """The uplink's loss is said, what was not sent is listed, and a copy lets it go on."""
    listed, copied, removed = blocks
    for name in ("orders", "orders-us"):
        create_table(shell.client, name, stream=False)
    # What no stream knows of, as what is more than a day old.
    _put(shell.client, "orders", "a", "changed", "deleted at the spoke")
    _put_replicated(shell.client, "orders-us", "a", "deleted at the hub", number=1)
    _put_replicated(shell.client, "orders-us", "changed", number=1)
    shell.client.update_item(
        TableName="orders-us",
        Key={"id": {"S": "changed"}},
        UpdateExpression="SET #t = :t",
        ExpressionAttributeNames={"#t": "total"},
        ExpressionAttributeValues={":t": {"N": "1"}},
    )
    _put(shell.client, "orders-us", "unsent")
    stream: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    for name in ("orders", "orders-us"):
        shell.client.update_table(TableName=name, StreamSpecification=stream)
    with FaultProxy(shell.server.endpoint) as proxy:
        _task_file(shell, "orders.properties", destinationEndpoint=proxy.endpoint, taskName="day")
        running = shell.begin("./run.sh orders.properties")
        uplink = f"{CHECKPOINT_TABLE_PREFIX}day{UPLINK_SUFFIX}"
        probe = DirectionProbe((shell.client, "orders"), (shell.client, "orders-us"))
        probe.wait()
        probe.remove()
        until(lambda: leases.begun(leases.read(shell.client, uplink)), "a checkpoint")
        running.terminate()
        assert running.wait(PATIENCE_SECONDS) == 0
        (lease,) = leases.read(shell.client, uplink) or []
        shell.client.update_item(
            TableName=uplink,
            Key={"leaseKey": {"S": lease.shard_id}},
            UpdateExpression="SET checkpoint = :c",
            ExpressionAttributeValues={":c": {"S": "000000000000000000000"}},
        )
        trimmed = proxy.inject(
            faults.error("TrimmedDataAccessException"),
            "GetShardIterator",
            when=lambda exchange: b"AFTER_SEQUENCE_NUMBER" in exchange.body,
        )
        running = shell.begin("./run.sh orders.properties # again")

        def found() -> set[str]:
            report = json.loads(shell.run("./run.sh status orders.properties --json || true"))
            return {each["id"] for each in report["uplink"]["findings"]}

        until(lambda: "shard-lost" in found(), "the loss in status")
        assert "first list it, with verify --output FILE --values" in shell.console()
        shell.run(listed, status=1)
        unsent = {key: (each["outcome"], each.get("marker")) for key, each in _lines(shell, "unsent.jsonl").items()}
        assert unsent == {
            "changed": ("different", "changed"),
            "deleted at the spoke": ("missing", None),
            "deleted at the hub": ("extra", "intact"),
            "unsent": ("extra", "none"),
        }
        shell.run(copied)
        until(lambda: "changes_lost_over" in shell.console(), "the end of the loss")
        trimmed.clear()
        _put(shell.client, "orders-us", "sent later")
        until(lambda: "sent later" in scan(shell.client, "orders"), "the spoke's write at the hub")
        until(lambda: not found(), "a healthy uplink")
        shell.run(removed)
        assert {"deleted at the hub", "unsent"} == _lines(shell, "removed.jsonl").keys()
        until(lambda: scan(shell.client, "orders") == _without_markers(shell.client, "orders-us"), "hub = spoke")
        running.terminate()
        assert running.wait(PATIENCE_SECONDS) == 0


def _wait_healthy(shell: Shell, what: str, directions: int) -> None:
    def is_healthy() -> bool:
        found = json.loads(shell.run(f"./run.sh status {what} --json || true"))
        return [each["exitStatus"] for each in found] == [0] * directions

    until(is_healthy, f"{directions} healthy directions")
