"""Metrics: what a child counts, what the exporter makes of it, and what is left when a shard is over."""

from __future__ import annotations

import errno
import io
import os
import socket
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from processor.commands.demo.dynamodb_local import free_port
from processor.errors import ThrottledError, UnavailableError
from processor.flow.outage import Outage
from processor.flow.rounds import Rounds
from processor.metrics import exporter, instruments, prometheus_endpoint, shard_files
from processor.metrics.collector import FLEET_SECONDS, FORGET_SECONDS, DaemonCollector, Heard
from processor.metrics.command_metrics import CommandMetrics
from processor.metrics.heartbeat import key
from processor.metrics.shard_facts import WINDOW_SECONDS
from processor.metrics.sinks import sinks
from processor.replication.apply import Outcome
from processor.replication.change import Change
from processor.replication.heartbeats import Heartbeats
from processor.replication.shard_meter import ShardMeter
from processor.replication.two_way.conflicts import VERDICTS
from processor.reporting.logs import Log
from processor.state.care_row import CareRow
from processor.state.verification_row import VerificationState, Verified
from tests.fakes.clock import Clock
from tests.fakes.dynamodb.changes import decode, delete, put
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.streams.stream_record import modify
from tests.fakes.task.tasks import task
from tests.unit.conftest import Event

NOW = 1_800_000_000.0


class Daemon:
    """Meters of one daemon, and what its exporter would tell of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = Clock(NOW)
        self.collector = DaemonCollector(directory, task="t", clock=self.clock)

    def meter(self, shard_id: str = "shard-1", **options: Any) -> ShardMeter:
        """One of a child that begins."""
        return ShardMeter(self.directory, task="t", shard_id=shard_id, clock=self.clock, **options)

    def told(self, name: str, **labels: str) -> list[float]:
        """The values of one sample's name, where the labels are these."""
        return [
            sample.value
            for family in self.collector.collect()
            for sample in family.samples
            if sample.name == instruments.PREFIX + name and labels.items() <= sample.labels.items()
        ]


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    """One that has just begun."""
    return Daemon(tmp_path)


def _made(seconds_ago: float, **changed: Any) -> Change:
    change = put("key")
    fields = {name: getattr(change, name) for name in change.__struct_fields__}
    return Change(**fields | {"created_ms": int((NOW - seconds_ago) * 1000)} | changed)


def _apply(meter: ShardMeter, *changes: Change, **outcome: int) -> None:
    meter.begun(changes)
    meter.applied(changes, Outcome(records=len(changes), **(outcome or {"puts": len(changes)})), 0.5)
    meter.checkpointed()


def test_what_became_of_each_record_is_counted(daemon: Daemon) -> None:
    """Every field of an outcome has its label, and they add up to the records."""
    changes = [_made(1, record_bytes=100 + number) for number in range(15)]
    outcome = {"puts": 5, "deletes": 4, "coalesced": 3, "moot": 2, "filtered": 7, "echoes": 6, "set_aside": 1}
    assert set(Outcome.__struct_fields__) == {"records", *outcome}
    _apply(daemon.meter(filters=True, direction="uplink"), *changes, **outcome)
    assert daemon.told("records_total") == [15]
    found = [daemon.told("changes_total", outcome=kind) for kind in instruments.OUTCOMES]
    assert found == [[5], [4], [3], [2], [7], [6], [1]]
    assert daemon.told("record_bytes_total") == [sum(range(100, 115))]
    assert daemon.told("apply_seconds_sum") == [0.5]


def test_conflicts_are_counted_by_their_verdict(daemon: Daemon) -> None:
    """Those of an uplink; other children have no such metric."""
    assert set(VERDICTS) == set(instruments.VERDICTS)
    daemon.meter("other")
    assert daemon.told("conflicts_total") == []
    meter = daemon.meter(direction="uplink")
    meter.conflicted("hubWins")
    meter.conflicted("hubWins")
    assert [daemon.told("conflicts_total", verdict=verdict) for verdict in VERDICTS] == [[2], [0], [0]]


def test_each_record_has_its_latency(daemon: Daemon) -> None:
    """The histogram has each record in the bucket of its own age, as if observed one by one."""
    ages = [0.01, 0.05, 0.06, 3, 3, 3, 100_000, -5]
    _apply(daemon.meter(), *(_made(age) for age in ages))
    for bound in (*instruments.LATENCY_BUCKETS, float("inf")):
        label = "+Inf" if bound == float("inf") else str(float(bound))
        within = sum(max(age, 0) <= bound for age in ages)
        assert [within] == daemon.told("replication_latency_seconds_bucket", le=label), bound
    assert daemon.told("replication_latency_seconds_sum") == [pytest.approx(100_009.12)]
    assert daemon.told("replication_latency_max_seconds") == [100_000]


def test_a_shards_files_are_named_once(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library asks for the name with each change of a value, a dozen in a batch, and it is a digest."""
    meter = daemon.meter("shard-1")
    monkeypatch.setattr(shard_files, "shard_file_name", pytest.fail)
    _apply(meter, _made(1))


def test_a_record_without_a_time_has_no_latency(daemon: Daemon) -> None:
    """It is counted, and none is made up for it."""
    _apply(daemon.meter(), _made(0, created_ms=0))
    assert (daemon.told("records_total"), daemon.told("replication_latency_seconds_count")) == ([1], [0])


def test_the_longest_latency_is_forgotten_after_two_windows(daemon: Daemon) -> None:
    """It stays for one window more than its own, and no longer, whether or not anything is written."""
    meter = daemon.meter()
    _apply(meter, _made(500))
    daemon.clock.now = NOW + WINDOW_SECONDS + 1
    _apply(meter, _made(-WINDOW_SECONDS))
    assert daemon.told("replication_latency_max_seconds") == [500]
    daemon.clock.now = NOW + 2 * WINDOW_SECONDS + 2
    _apply(meter, _made(-2 * WINDOW_SECONDS))
    assert daemon.told("replication_latency_max_seconds") == [2]
    daemon.clock.now += 2 * WINDOW_SECONDS
    assert daemon.told("replication_latency_max_seconds") == [0]


def test_what_is_in_hand_ages(daemon: Daemon) -> None:
    """Pending grows from the oldest change's write while its batch is not applied, and is 0 afterwards."""
    meter = daemon.meter()
    changes = [_made(30), _made(10)]
    meter.begun(changes)
    daemon.clock.now += 3600
    assert daemon.told("pending_seconds") == [3630]
    assert daemon.told("retention_used_ratio") == [3630 / 86400]
    meter.applied(changes, Outcome(records=2, puts=2), 3600.0)
    meter.checkpointed()
    daemon.clock.now += 60
    assert (daemon.told("pending_seconds"), daemon.told("checkpoint_age_seconds")) == ([0], [60])


def test_between_two_batches_a_shard_is_as_late_as_it_was(daemon: Daemon) -> None:
    """A backlog that is worked at uses its 24 hours, though nothing of it is in hand at the moment of a look."""
    _apply(daemon.meter(), _made(43_200))
    assert (daemon.told("pending_seconds"), daemon.told("retention_used_ratio")) == ([0], [0.5])


def test_shards_of_many_processes_stand_side_by_side(daemon: Daemon) -> None:
    """Each shard has figures of its own, and the daemon says how many it reads."""
    for number in range(3):
        _apply(daemon.meter(f"shard-{number}"), *[_made(1)] * (number + 1))
    assert [daemon.told("records_total", shard=f"shard-{number}") for number in range(3)] == [[1], [2], [3]]
    assert daemon.told("shards") == [3]


def test_a_shard_that_comes_back_goes_on_counting(daemon: Daemon) -> None:
    """The next child of a shard on the same daemon begins where the last one was, as a counter should."""
    first = daemon.meter()
    _apply(first, _made(1))
    first.retried(ThrottledError("no", code="ThrottlingException"))
    first.closed()
    assert (daemon.told("shards"), daemon.told("pending_seconds")) == ([0], [])
    second = daemon.meter()
    _apply(second, _made(1))
    second.retried(UnavailableError("no", code="EndpointConnectionError"))
    assert (daemon.told("shards"), daemon.told("records_total")) == ([1], [2])
    assert daemon.told("write_retries_total", reason="throttled") == [1]
    assert daemon.told("write_retries_total", reason="unavailable") == [1]


def test_a_child_that_ends_late_does_not_end_the_next(daemon: Daemon) -> None:
    """A shard lost and taken again is read, and kept, whatever its first child says when the second has begun."""
    first = daemon.meter()
    second = daemon.meter()
    first.closed()
    second.begun([_made(30)])
    assert (daemon.told("shards"), daemon.told("pending_seconds")) == ([1], [30])
    daemon.clock.now += FORGET_SECONDS + 1
    daemon.told("shards")
    assert all(path.exists() for path in shard_files.files(daemon.directory, "shard-1"))
    second.closed()
    assert daemon.told("shards") == [0]


def test_ended_shards_are_forgotten(daemon: Daemon) -> None:
    """An hour after its end a shard's series and files are gone; those of living ones stay, however silent."""
    ended, silent = daemon.meter("ended"), daemon.meter("silent")
    _apply(ended, _made(1))
    _apply(silent, _made(1))
    ended.closed()
    daemon.clock.now += FORGET_SECONDS - 1
    assert len(daemon.told("records_total")) == 2
    daemon.clock.now += 2
    daemon.told("records_total")
    assert len(daemon.told("records_total", shard="silent")) == len(daemon.told("records_total")) == 1
    assert not any(path.exists() for path in shard_files.files(daemon.directory, "ended"))


def test_every_name_told_is_in_the_table(daemon: Daemon) -> None:
    """The exporter tells what ``instruments.py`` lists, with kind, help and labels; nothing internal gets out."""
    _apply(daemon.meter(direction="uplink"), _made(1))
    daemon.collector.hear(Heard(shards_unread=2, shards_lost=1))
    table = {instrument.name.removesuffix("_total"): instrument for instrument in instruments.INSTRUMENTS}
    told = list(daemon.collector.collect())
    for family in told:
        instrument = table[family.name]
        assert (instrument.kind, instrument.help) == (family.type, family.documentation)
        for sample in family.samples:
            assert set(instrument.label_names) == set(sample.labels) - {"le"}
    missing = set(table) - {family.name for family in told}
    assert {name.removeprefix(instruments.PREFIX).split("_")[0] for name in missing} == {
        "copy",
        "verify",
        "heartbeat",
        "verification",
        "replica",
    }


def test_a_full_disk_is_found_before_it_can_hurt(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room is taken when the shard begins, by a call that fails, for a write through memory would end the process."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        daemon.meter()
    assert daemon.told("shards") == [0]


def test_what_the_daemon_says_of_the_fleet_grows_stale(daemon: Daemon) -> None:
    """Unread shards are told while the daemon says so; a line that is none is passed over."""
    exporter.listen(['{"shardsUnread":3,"shardsLost":1}\n', "{half a li", "\n"], Heard, daemon.collector.hear)
    assert (daemon.told("shards_unread"), daemon.told("shards_lost")) == ([3], [1])
    daemon.clock.now += FLEET_SECONDS
    assert daemon.told("shards_unread") == []


@pytest.mark.parametrize("types", [{"id": "S"}, {"id": "N"}, {"id": "B"}, {"id": "S", "at": "N"}, {"a": "B", "b": "S"}])
def test_a_heartbeat_is_known_among_changes(types: dict[str, str]) -> None:
    """By its key, whatever that is made of, and by no other task's; its moment is told, and of nothing else."""
    beats = Heartbeats("t")

    def change(of_task: str, **attributes: Any) -> Change:
        return decode(modify(1, {**key(types, of_task), **attributes}, key_names=tuple(types)).data)

    at = {"writtenAtMs": {"N": "1800000000123"}}
    assert beats.written_ms(change("other", **at)) is None
    assert beats.written_ms(change("t", **at)) == 1_800_000_000_123
    assert beats.written_ms(change("t")) is None
    assert beats.written_ms(change("t", writtenAtMs={"S": "noon"})) is None


def test_a_deleted_heartbeat_is_none() -> None:
    """Somebody who removes the item sends a change without a moment."""
    name = key({"id": "S"}, "t")["id"]["S"]
    assert Heartbeats("t").written_ms(delete(name)) is None


def test_a_heartbeats_way_is_measured(daemon: Daemon) -> None:
    """From the moment in the item, not the stream's own coarse one, to the end of its batch; its age goes on."""
    meter = daemon.meter(written_ms=lambda change: change.created_ms + 250 if change.kind == "put" else None)
    _apply(meter, _made(1))
    daemon.clock.now += 5
    assert daemon.told("heartbeat_latency_seconds") == [pytest.approx(0.75)]
    assert daemon.told("heartbeat_age_seconds") == [pytest.approx(5.75)]


def test_nothing_is_measured_where_nothing_is_asked_for() -> None:
    """Each sink is asked for by itself."""
    silent = {"dontPublishCloudwatch": "true"}
    assert sinks(task(), {}) == {"cloudwatch"}
    assert sinks(task(**silent), {}) == set()
    assert sinks(task(**silent, metricsPort="9404"), {}) == {"prometheus"}
    assert sinks(task(**silent, heartbeatSeconds="5"), {}) == {"heartbeat"}
    otlp = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
    assert sinks(task(**silent), otlp) == {"otlp"}
    assert sinks(task(**silent), otlp | {"OTEL_SDK_DISABLED": "true"}) == set()


def test_a_port_that_there_is_not_is_said(daemon: Daemon, events: Callable[[], list[Event]]) -> None:
    """The second daemon of a machine, where the first has the last port: that is said, and ends nothing."""
    settings = msgspec.structs.replace(task(metricsPort="65535"), metrics_port=65536)
    stop = threading.Event()
    stop.wait = lambda *_: stop.set()  # type: ignore[method-assign]  # after the first try
    prometheus_endpoint.serve(settings, daemon.collector, log=Log(), stop=stop)
    (event,) = events()
    assert (event.name, "0-65535" in event.fields["reason"]) == ("metrics_not_served", True)


def test_an_exporter_that_fails_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for its own thread for ever, with the port taken: the daemon starts another."""

    def no_threads(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(exporter, "publishers", no_threads)
    free = free_port()
    settings = task(metricsPort=str(free), metricsAddress="127.0.0.1")
    with pytest.raises(RuntimeError, match="new thread"):
        exporter.run(settings, tmp_path, io.StringIO())
    assert "metrics-port" not in {thread.name for thread in threading.enumerate()}


def test_a_command_serves_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A copy's figures stand on ``metricsPort`` while it runs; where that is taken it says so, once, and goes on."""
    free = free_port()
    settings = task(metricsPort=str(free), metricsAddress="127.0.0.1", taskName="t")
    figures = {"items": instruments.COPY_ITEMS, "progress": instruments.COPY_PROGRESS}
    with CommandMetrics(settings, **figures) as first, CommandMetrics(settings, **figures):
        first.tell(25, 100)
        url = f"http://127.0.0.1:{free}/metrics"
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # it is http
            families = list(text_string_to_metric_families(answer.read().decode()))
    found = Counter({sample.name: sample.value for family in families for sample in family.samples})
    assert found == {
        "dynamodb_replicator_build_info": 1,
        "dynamodb_replicator_copy_items_total": 25,
        "dynamodb_replicator_copy_progress_ratio": 0.25,
    }
    said = capsys.readouterr().err
    assert said.count(f"127.0.0.1 port {free} can't be listened on") == 1
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", free))


def test_how_long_a_replica_is_unfinished_is_told(daemon: Daemon) -> None:
    """Nothing where none makes itself; 0 as soon as it is in sync."""
    since_ms = int((NOW - 100) * 1000)
    phases: list[tuple[Any, list[float]]] = [(None, []), ("copying", [100.0]), ("in sync", [0.0])]
    for phase, expected in phases:
        daemon.collector.cared(CareRow(phase=phase, phase_since_ms=since_ms))
        assert daemon.told("replica_unfinished_seconds") == expected


def test_what_verifications_have_found_is_told(daemon: Daemon) -> None:
    """Since when, from the first pass on; then what the last whole one has found, also while the row can't be read."""
    answers: list[Any] = [None, VerificationState(since_ms=int((NOW - 100) * 1000))]
    last = Verified(through_ms=int((NOW - 50) * 1000), ended_ms=0, equal=7, missing=3, extra=0, different=0, repaired=1)
    answers += [msgspec.structs.replace(answers[1], last=last), ThrottledError("", code="x")]

    def read() -> VerificationState | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    outage = Outage(Log(), "test", note="")
    rounds = Rounds(lambda: daemon.collector.verified(read()), name="test", every_seconds=60, outage=outage)
    names = ("verification_age_seconds", "verification_equal", "verification_different")
    for expected in ([], [], []), ([100], [], []), ([50], [7], [2]), ([50], [7], [2]):
        rounds.do()
        assert tuple(map(daemon.told, names)) == tuple(expected)
