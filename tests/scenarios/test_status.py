"""``./run.sh status`` beside a real daemon: alive, stopped, killed; and a watch that is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from typing import Any

from processor.startup import java
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.scenarios.conftest import Pair

MakeReplicator = Callable[..., Replicator]


def command(pair: Pair, *options: str) -> list[str]:
    """``./run.sh status`` of the task."""
    given = [part for name, value in pair.settings.items() for part in (f"--{name}", value)]
    return [str(java.ROOT / "run.sh"), "status", *given, *options]


def status(pair: Pair) -> dict[str, Any]:
    """The report, whose exit status is the command's own."""
    asked = command(pair, "--json")
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    report: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (report["exitStatus"], "")
    return report


def rows(pair: Pair) -> list[dict[str, Any]]:
    """The checkpoint table, whole."""
    found: list[dict[str, Any]] = pair.source.scan(TableName=pair.checkpoint_table, ConsistentRead=True)["Items"]
    return sorted(found, key=lambda row: row["leaseKey"]["S"])


def test_a_daemon_that_lives_stops_and_is_killed(pair: Pair, replicator: MakeReplicator) -> None:
    """Healthy while it renews its lease; else not, with what was last known, and no lease is changed by looking."""
    running = replicator(pair.settings).start()
    pair.put("a")
    pair.wait_for("a")
    checkpoint = pair.wait_checkpoint()
    healthy = until(lambda: (found := status(pair))["exitStatus"] == 0 and found, "a healthy task")
    assert (healthy["state"], healthy["lagSeconds"], healthy["counts"]["reading"]) == ("running", 0.0, 1)
    ((owner, alive),) = {(each["owner"], each["alive"]) for each in healthy["daemons"]}
    assert alive
    assert checkpoint in {shard["checkpoint"] for shard in healthy["shards"]}

    assert running.stop() == 0
    pair.put("b")
    before = rows(pair)
    stopped = status(pair)
    assert (stopped["exitStatus"], stopped["state"], stopped["daemons"]) == (1, "stopped", [])
    assert 0 < stopped["lagSeconds"] < 600
    assert stopped["lagAbout"]  # DynamoDB Local's record times are rounded to the minute
    assert before == rows(pair)

    running.start()
    pair.wait_for("b")
    running.stop(signal.SIGKILL)
    before = rows(pair)
    killed = status(pair)
    assert (killed["exitStatus"], killed["state"]) == (1, "stopped")
    assert [(each["owner"], each["alive"]) for each in killed["daemons"]] == [(owner, False)]
    assert any(f"owner {owner} does not renew" in shard["note"] for shard in killed["shards"])
    assert before == rows(pair)


def test_a_watch_ends_with_what_it_saw_last(pair: Pair) -> None:
    """In a pipe it is a line, or an object, for each look; Ctrl-C is how it ends."""
    with subprocess.Popen(
        command(pair, "--watch", "1", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        assert [json.loads(watching.stdout.readline())["state"] for _ in range(2)] == ["never started"] * 2
        watching.send_signal(signal.SIGINT)
        _, errors = watching.communicate(timeout=PATIENCE_SECONDS)
    assert (watching.returncode, errors) == (1, "")
