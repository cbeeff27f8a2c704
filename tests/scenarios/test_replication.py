"""The main job, on the real daemon with DynamoDB Local at both ends."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable

import psutil
import pytest

from processor.commands.demo.workload import Workload
from processor.settings.kcl_properties import TUNED
from processor.state import leases
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.ended import has_ended
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair

MakeReplicator = Callable[..., Replicator]
Live = Callable[..., Workload]
# The last record of what went before; a start from the beginning would say TRIM_HORIZON.
RESUMED = "shard_started shard=shardId-"
FAILOVER_SECONDS = 20  # a busy machine may take more than the five of the default to end a process


def starts(replicator: Replicator) -> list[str]:
    """The checkpoints that the shard was started from, one for each start."""
    lines = [line for line in replicator.log().splitlines() if RESUMED in line]
    return [line.rsplit("checkpoint=", 1)[1] for line in lines]


@pytest.mark.parametrize("write_mode", ["batch", "item"])
def test_live_changes_are_followed(pair: Pair, replicator: MakeReplicator, live: Live, write_mode: str) -> None:
    """Inserts, updates and deletes made before, during and after the start all reach the destination."""
    pair.put("before")
    pair.put("gone")
    pair.delete("gone")
    workload = live(seed=1)
    with replicator(pair.settings | {"writeMode": write_mode}) as running:
        pair.wait_for("before")
        until(lambda: workload.written > 300, "300 writes")
        workload.stop()
        pair.wait_equal()
        assert len(pair.replicated()) > 50
        assert running.stop() == 0


def test_sigterm_checkpoints_and_a_restart_goes_on_from_there(
    pair: Pair, replicator: MakeReplicator, live: Live
) -> None:
    """SIGTERM under load ends with 0 in its grace, leaves no process, and the next start loses and replays nothing."""
    workload = live(seed=2)
    grace = {"shutdownGraceMillis": TUNED["shutdownGraceMillis"]}
    with replicator(pair.settings | grace) as running:
        pair.wait_checkpoint()
        family = psutil.Process(running.process.pid).children(recursive=True)
        assert running.stop() == 0
        assert [process for process in family if not has_ended(process)] == []
        workload.stop()
        pair.put("while it was down")

        running.start()
        pair.wait_for("while it was down")
        pair.wait_equal()
        first, second = starts(running)
        assert first == "TRIM_HORIZON"
        assert int(second) > 0
        assert running.stop() == 0


def test_sigint_is_a_clean_stop_too(pair: Pair, replicator: MakeReplicator) -> None:
    """Ctrl-C goes to the whole group: the child leaves it to the daemon, which ends with 0."""
    pair.put("one")
    with replicator(pair.settings) as running:
        pair.wait_for("one")
        for child in running.children():
            child.send_signal(signal.SIGINT)
        assert running.stop(signal.SIGINT) == 0
        assert "BUG" not in running.console


def test_kill_9_of_the_daemon_leaves_no_writer_and_loses_nothing(
    pair: Pair, replicator: MakeReplicator, live: Live
) -> None:
    """The children of a daemon killed hard end while the shard is still theirs; the next start goes on."""
    workload = live(seed=3)
    with replicator(pair.settings | {"failoverTimeMillis": str(FAILOVER_SECONDS * 1000)}) as running:
        pair.wait_checkpoint()
        children = running.children()
        assert len(children) == 1
        assert running.stop(signal.SIGKILL) == -signal.SIGKILL
        # No other daemon takes the shard sooner than this.
        gone, alive = psutil.wait_procs(children, timeout=FAILOVER_SECONDS)
        assert (len(gone), len(alive)) == (1, 0)
        workload.stop()
        pair.put("while it was down")

        running.start()
        pair.wait_equal()
        assert starts(running)[-1] != "TRIM_HORIZON"
        assert running.stop() == 0


def test_kill_9_of_a_child_ends_the_daemon_with_5(pair: Pair, replicator: MakeReplicator) -> None:
    """A child that vanishes ends its daemon with 5 and nothing past its checkpoint; a restart goes on."""
    pair.put("one")
    with replicator(pair.settings) as running:
        pair.wait_for("one")
        (child,) = running.children()
        child.kill()
        pair.put("two")
        assert running.wait() == 5
        running.start()
        pair.wait_for("two")
        assert running.stop() == 0


def test_two_tasks_run_side_by_side(make_pair: Callable[[], Pair], replicator: MakeReplicator) -> None:
    """Tasks share a machine without sharing files, checkpoints or changes."""
    pairs = [make_pair(), make_pair()]
    logs = {"logDirectory": str(replicator(pairs[0].settings, name="shared").log_directory)}
    with (
        replicator(pairs[0].settings | logs, name="first") as first,
        replicator(pairs[1].settings | logs, name="second") as second,
    ):
        for number, pair in enumerate(pairs):
            pair.put(f"only in {number}")
        for pair in pairs:
            pair.wait_equal()
        assert list(pairs[0].replicated()) == ["only in 0"]
        assert list(pairs[1].replicated()) == ["only in 1"]
        assert first.stop() == 0
        assert second.stop() == 0


def test_two_daemons_of_one_task_share_a_machine(pair: Pair, replicator: MakeReplicator) -> None:
    """The second daemon takes a slot of its own, and the shard when the first one stops."""
    pair.put("one")
    logs = {"logDirectory": str(replicator(pair.settings, name="shared").log_directory)}
    with replicator(pair.settings | logs, name="first") as first:
        pair.wait_for("one")
        with replicator(pair.settings | logs, name="second") as second:
            until(lambda: "daemon-2" in second.console, "a slot of its own")
            assert first.stop() == 0
            pair.put("two")
            pair.wait_for("two")
            pair.wait_equal()
            assert second.stop() == 0


def test_a_shard_that_waits_for_its_parent_holds_up_no_stop(pair: Pair, replicator: MakeReplicator) -> None:
    """SIGTERM is clean, and gives every lease back, while a shard is leased whose parent isn't finished."""
    with replicator(pair.settings) as running:
        pair.put("one")
        pair.wait_checkpoint()
        (parent,) = leases.read(pair.source, pair.checkpoint_table) or []
        child = {
            "leaseKey": {"S": f"shardId-{int(time.time() * 1000):020d}-0badcafe"},
            "checkpoint": {"S": "TRIM_HORIZON"},
            "checkpointSubSequenceNumber": {"N": "0"},
            "leaseCounter": {"N": "0"},
            "ownerSwitchesSinceCheckpoint": {"N": "0"},
            "parentShardId": {"SS": [parent.shard_id]},
        }
        pair.source.put_item(TableName=pair.checkpoint_table, Item=child)

        def owners() -> list[str | None]:
            return [lease.owner for lease in leases.read(pair.source, pair.checkpoint_table) or []]

        until(lambda: len(owners()) == 2 and all(owners()), "both leases taken")
        assert running.stop() == 0
        assert owners() == [None, None]


@pytest.mark.parametrize("word", ["local", "xx-newest-9"])
def test_a_region_may_be_a_word_that_the_adapter_does_not_know(
    pair: Pair, replicator: MakeReplicator, word: str
) -> None:
    """Emulators call their region anything, and AWS opens new ones: with an endpoint given, any word will do."""
    pair.put("one")
    with replicator(pair.settings | {"sourceRegion": word}) as running:
        pair.wait_for("one")
        assert running.stop() == 0


def test_a_daemon_says_what_it_does(pair: Pair, replicator: MakeReplicator) -> None:
    """Progress soon after the start, where the README says; that it is a standby; at the end what it has applied."""
    for number in range(5):
        pair.put(f"{number}")
    with replicator(pair.settings) as running:
        pair.wait_equal()
        until(lambda: re.search(r" INFO progress shards=1 records=5 seconds=\d+ ", running.log()), "its progress")
        with replicator(pair.settings, name="second") as second:
            until(lambda: "NOTICE standby " in second.console, "that it is a standby")
            assert second.stop() == 0
            assert "NOTICE daemon_stopped records=0 " in second.console
        pair.put("more")
        pair.wait_equal()
        assert running.stop() == 0
    for said in (running.console, running.log()):
        assert re.search(r" NOTICE daemon_stopped records=6 seconds=\d+ ", said), said[-1000:]
