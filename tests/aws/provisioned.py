"""The steps of the task between provisioned tables, in the other direction."""

from __future__ import annotations

import re
import signal
from urllib.request import urlopen

from processor.commands.demo.dynamodb_local import free_port
from tests.aws import plan
from tests.aws.on_demand import wait_for
from tests.aws.outcome import SkippedError
from tests.aws.scene import Scene, items

_THROTTLED = re.compile(r'^replication_write_retries_total\{[^}]*reason="throttled"[^}]*\} ([\d.e+]+)$', re.MULTILINE)


def burst(scene: Scene) -> str:
    """More than the destination takes at once."""
    task = scene.provisioned
    port = free_port()
    task.settings |= {"metricsPort": str(port)}
    task.command("check", "--json")
    task.start()
    task.put("first")
    wait_for(scene, task, "first")
    scene.tag()
    data = {"B": bytes(plan.BURST_BYTES)}
    task.write([{"id": {"S": f"burst-{number:03}"}, "data": data} for number in range(plan.BURST_ITEMS)])
    count = task.wait_equal()
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:  # the daemon's
        throttled = sum(float(number) for number in _THROTTLED.findall(answer.read().decode()))
    if throttled:
        scene.seen["throttles"] = f"{throttled:.0f} calls of the destination were throttled"
    size = plan.BURST_BYTES // 1000
    return f"{plan.BURST_ITEMS} items of {size} KB, {throttled:.0f} calls throttled; {count} items, equal"


def refuse(scene: Scene) -> str:
    """A number where the destination's index wants a string."""
    task = scene.provisioned
    task.put("refused", code={"N": "1"})
    task.put("after")
    wait_for(scene, task, "after")

    def is_taken() -> bool:
        return "refused" in items(task.to, task.destination_table)

    scene.until(lambda: _letters(scene) or is_taken(), "a dead letter")
    if is_taken():
        assert not scene.place.is_aws, "the destination took a number where its index wants a string"
        raise SkippedError("this server's indexes refuse nothing")
    task.command("redrive", "--json", expected=(1,))
    return "1 change set aside, those after it applied"


def _letters(scene: Scene) -> int:
    return scene.letters.read_text().count("\n") if scene.letters.exists() else 0


def redrive(scene: Scene) -> str:
    """Without that index nothing is refused."""
    task = scene.provisioned
    if not _letters(scene):
        raise SkippedError("there is no dead letter")
    task.to.update_table(
        TableName=task.destination_table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-code"}}]
    )

    def is_gone() -> bool:
        table = task.to.describe_table(TableName=task.destination_table)["Table"]
        return not table.get("GlobalSecondaryIndexes") and table["TableStatus"] == "ACTIVE"

    scene.until(is_gone, "the index is removed")
    if scene.place.is_aws:
        scene.seen["indexes"] = "the index of the provisioned destination, removed beside a running daemon"
    report = task.command("redrive", "--json")
    assert report["removedLetters"] == 1, f"removed {report['removedLetters']} letters"
    count = task.wait_equal()
    task.command("verify", "--json", "--recheck", "0")
    return f"1 letter redriven and removed; {count} items, equal"


def look_at_shards(scene: Scene) -> str:
    """Whether any shard of the two streams has ended while the run read it."""
    for task in scene.tasks:
        if task.daemon is not None and task.daemon.process.poll() is None:
            ended = task.daemon.stop(signal.SIGTERM, seconds=scene.patience_seconds)
            assert ended == 0, f"SIGTERM ended it with {ended}: {task.complaints()}"
    found = []
    for task in scene.tasks:
        arn = task.from_.describe_table(TableName=task.source_table)["Table"]["LatestStreamArn"]
        streams = task.source.client("dynamodbstreams")
        found += streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    closed = [shard for shard in found if "EndingSequenceNumber" in shard["SequenceNumberRange"]]
    if not closed:
        raise SkippedError(f"{len(found)} shards, of which none has ended yet")
    scene.seen["shards"] = f"{len(closed)} of {len(found)} shards ended"
    return f"{len(closed)} of {len(found)} shards ended, and their children were read"
