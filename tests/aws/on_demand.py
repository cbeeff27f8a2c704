"""The steps of the task between tables on demand."""

from __future__ import annotations

import signal
import time
from typing import Any

from processor.commands.demo.workload import Workload
from tests.aws import names, plan
from tests.aws.scene import Scene, Task, items

_EVERY_TYPE: dict[str, Any] = {
    "s": {"S": "größer 漢字 \N{ROCKET}"},
    "empty": {"S": ""},
    "n": {"N": "-12345678901234567890.123456789012345678"},
    "b": {"B": bytes(range(256))},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2.5", "-3"]},
    "bs": {"BS": [b"\x00", b"\xff"]},
    "l": {"L": [{"S": "x"}, {"N": "1"}, {"L": []}, {"M": {}}]},
    "m": {"M": {"inner": {"M": {"deep": {"BOOL": False}}}}},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
}
_INDEX = "by-code"


def make_tables(scene: Scene) -> str:
    """All but the destination on demand, which copy makes."""
    first, second = scene.on_demand, scene.provisioned
    keys: dict[str, Any] = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "Tags": names.tags(scene.run)}
    only_id = [{"AttributeName": "id", "AttributeType": "S"}]
    first.from_.create_table(
        TableName=first.source_table, AttributeDefinitions=only_id, BillingMode="PAY_PER_REQUEST", **keys
    )
    second.from_.create_table(
        TableName=second.source_table,
        AttributeDefinitions=only_id,
        ProvisionedThroughput=_throughput(plan.SOURCE_UNITS),
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        **keys,
    )
    index = {  # wants a string, so that a number is refused: the redrive's step removes it
        "IndexName": _INDEX,
        "KeySchema": [{"AttributeName": "code", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
        "ProvisionedThroughput": _throughput(plan.INDEX_UNITS),
    }
    second.to.create_table(
        TableName=second.destination_table,
        AttributeDefinitions=[*only_id, {"AttributeName": "code", "AttributeType": "S"}],
        GlobalSecondaryIndexes=[index],
        ProvisionedThroughput=_throughput(plan.DESTINATION_UNITS),
        **keys,
    )
    for client, table in (
        (first.from_, first.source_table),
        (second.from_, second.source_table),
        (second.to, second.destination_table),
    ):
        scene.until(lambda c=client, t=table: _is_active(c, t), f"{table} is active")
    return "3 tables, each active"


def _throughput(units: tuple[int, int]) -> dict[str, int]:
    return {"ReadCapacityUnits": units[0], "WriteCapacityUnits": units[1]}


def _is_active(client: Any, table: str) -> bool:
    return bool(client.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE")


def copy(scene: Scene) -> str:
    """To a destination that isn't there, from a source without a stream."""
    task = scene.on_demand
    task.write([_item(f"copied-{number:04}", number) for number in range(plan.COPIED_ITEMS)])
    task.command("copy", "--json")
    scene.tag()
    count = task.wait_equal()
    assert count == plan.COPIED_ITEMS, f"{count} items instead of {plan.COPIED_ITEMS}"
    table = task.from_.describe_table(TableName=task.source_table)["Table"]
    assert table.get("StreamSpecification", {}).get("StreamEnabled"), "the source's stream is off"
    return f"{count} items; the destination was made, and the stream turned on"


def _item(key: str, number: int) -> dict[str, Any]:
    return {"id": {"S": key}, "number": {"N": str(number)}, **_EVERY_TYPE}


def start(scene: Scene) -> str:
    """The first start makes the task's tables."""
    task = scene.on_demand
    began = time.monotonic()
    task.start()
    task.put("first", number={"N": "1"})
    wait_for(scene, task, "first")
    scene.tag()
    if scene.place.is_aws and task.source.region != task.destination.region:
        scene.seen["regions"] = f"{task.source.region} to {task.destination.region}"
    return f"the first change arrived {time.monotonic() - began:.0f} s after the command"


def wait_for(scene: Scene, task: Task, key: str) -> None:
    """Until the destination has an item of that key."""
    wanted = {"id": {"S": key}}

    def there() -> bool:
        assert task.daemon is not None
        status = task.daemon.process.poll()
        assert status is None, f"the daemon ended with {status}: {task.complaints()}"
        return "Item" in task.to.get_item(TableName=task.destination_table, Key=wanted, ConsistentRead=True)

    scene.until(there, f"{key} at the destination")


def live(scene: Scene) -> str:
    """One key for each kind of change, and a large item."""
    task = scene.on_demand
    for name, value in _EVERY_TYPE.items():
        task.put(f"type-{name}", value=value)
    task.put("all", **_EVERY_TYPE)
    task.put("large", data={"B": bytes(plan.LARGE_BYTES)})
    task.from_.update_item(
        TableName=task.source_table,
        Key={"id": {"S": "all"}},
        UpdateExpression="SET s = :s REMOVE nothing ADD n :n",
        ExpressionAttributeValues={":s": {"S": "changed"}, ":n": {"N": "1"}},
    )
    task.delete("copied-0000")
    task.put("copied-0001", number={"N": "1"})
    task.put("comes-and-goes")
    task.delete("comes-and-goes")
    task.put("last")
    wait_for(scene, task, "last")
    count = task.wait_equal()
    found = items(task.to, task.destination_table)
    assert "copied-0000" not in found, "a delete didn't arrive"
    assert found["all"]["s"] == {"S": "changed"}, "an update didn't arrive"
    return (
        f"{len(_EVERY_TYPE)} types, an item of {plan.LARGE_BYTES // 1000} KB, updates and deletes; {count} items, equal"
    )


def status(scene: Scene) -> str:
    """As a script asks for it."""
    scene.until(scene.on_demand.is_healthy, "status says healthy")
    return "healthy"


def resume(scene: Scene) -> str:
    """Changes while nothing runs."""
    task = scene.on_demand
    assert task.daemon is not None
    ended = task.daemon.stop(signal.SIGTERM, seconds=scene.patience_seconds)
    assert ended == 0, f"SIGTERM ended it with {ended}: {task.complaints()}"
    for number in range(50):
        task.put(f"meanwhile-{number}", number={"N": str(number)})
    task.delete("copied-0002")
    task.start()
    wait_for(scene, task, "meanwhile-49")
    count = task.wait_equal()
    assert "copied-0002" not in items(task.to, task.destination_table), "a delete didn't arrive"
    return f"51 changes while it was stopped; {count} items, equal"


def kill(scene: Scene) -> str:
    """The daemon is killed when some of the changes have arrived, and others are written on."""
    task = scene.on_demand
    assert task.daemon is not None
    workload = Workload(task.from_, task.source_table, seed=1, pause_seconds=0.02)
    workload.start()
    try:
        scene.until(lambda: workload.written >= _BEFORE_THE_KILL, "live changes")
        scene.until(lambda: workload.arrived(_orders(task)), "some of them at the destination")
        task.daemon.process.kill()
        task.daemon.wait(seconds=scene.patience_seconds)
        before = workload.written
        scene.until(lambda: workload.written >= before + _BEFORE_THE_KILL, "changes after the kill")
        task.start()
        scene.until(lambda: workload.arrived(_orders(task)) > before, "changes after the start")
    finally:
        workload.stop()
    count = task.wait_equal()
    return f"{workload.written} live changes, killed after {before}; {count} items, equal"


_BEFORE_THE_KILL = 50


def _orders(task: Task) -> dict[str, Any]:
    found = items(task.to, task.destination_table)
    return {key: item for key, item in found.items() if key.startswith("order-")}


def verify(scene: Scene) -> str:
    """While the replication runs."""
    report = scene.on_demand.command("verify", "--json")
    return f"{report['equal']} keys are equal"


def repair(scene: Scene) -> str:
    """One item missing, one different, one too many."""
    task = scene.on_demand
    table = task.destination_table
    task.to.delete_item(TableName=table, Key={"id": {"S": "copied-0010"}})
    task.to.put_item(TableName=table, Item={"id": {"S": "copied-0011"}, "number": {"N": "-1"}})
    task.to.put_item(TableName=table, Item={"id": {"S": "too-many"}})
    report = task.command("verify", "--json", "--recheck", "0", expected=(1,))
    found = [report[kind] for kind in ("missing", "different", "extra")]
    assert found == [1, 1, 1], f"missing, different, extra: {found}"
    task.command("verify", "--json", "--recheck", "0", "--repair", "--deleteExtra")
    task.command("verify", "--json", "--recheck", "0")
    task.wait_equal()
    ended = task.daemon.stop(signal.SIGTERM, seconds=scene.patience_seconds) if task.daemon else 0
    assert ended == 0, f"SIGTERM ended it with {ended}: {task.complaints()}"
    return "1 missing, 1 different and 1 extra item were found and repaired"
