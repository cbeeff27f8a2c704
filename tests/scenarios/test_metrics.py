"""What a daemon tells of itself, held against what the stream had and the destination took."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from collections import Counter
from collections.abc import Callable
from typing import Any

import psutil
from prometheus_client.parser import text_string_to_metric_families

from processor.commands.demo.dynamodb_local import free_port
from processor.metrics import instruments
from tests.fakes.daemon import start_probe
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.scenarios.conftest import MakeFleet, Pair


class Endpoint:
    """What Prometheus would find on a port."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/metrics"

    def samples(self) -> list[Any]:
        """Every sample; none while nobody listens."""
        try:
            with urllib.request.urlopen(self._url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # it is http
                text = answer.read().decode()
        except OSError:
            return []
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def by(self, name: str, label: str) -> Counter[str]:
        """The sums of one metric, by one label."""
        found: Counter[str] = Counter()
        for sample in self.samples():
            if sample.name == instruments.PREFIX + name:
                found[sample.labels.get(label, "")] += sample.value
        return found

    def total(self, name: str) -> float:
        """One metric's sum."""
        return self.by(name, "").total()


def test_the_endpoint_equals_what_was_read_and_written(make_fleet: MakeFleet) -> None:
    """Under load, while the destination throttles and a shard ends, every count is exact, shard by shard."""
    port = free_port()
    # A call may take half a minute: a busy machine adds no tries to those that are counted.
    fleet = make_fleet(shards=2, metricsPort=str(port), metricsAddress="127.0.0.1", failoverTimeMillis="60000")
    fleet.start()
    endpoint = Endpoint(port)
    fleet.wait_even(1)
    throttled = fleet.proxy.inject(faults.error("ProvisionedThroughputExceededException"), "BatchWriteItem", times=5)
    for number in range(3000):
        fleet.simulator.put({"id": {"S": f"key-{number % 1000}"}, "value": {"N": str(number)}})
        if number == 1500:
            fleet.simulator.roll_over()
    for number in range(0, 1000, 3):
        fleet.simulator.delete({"id": {"S": f"key-{number}"}})
    fleet.wait_equal()
    read = Counter(event.shard_id for event in fleet.simulator.history)
    assert len(read) == 3  # two, and the child of one
    until(lambda: read == endpoint.by("records_total", "shard"), "every record counted", pause_seconds=0.2)

    applied = [write for write in fleet.proxy.writes if not write.key["id"]["S"].startswith(start_probe.PREFIX)]
    written = Counter("put" if write.item else "delete" for write in applied)
    outcomes = endpoint.by("changes_total", "outcome")
    assert written == +Counter({kind: outcomes[kind] for kind in ("put", "delete")})
    assert sum(read.values()) == outcomes.total()
    assert throttled.met == 5
    assert endpoint.by("write_retries_total", "reason") == {"throttled": 5.0, "unavailable": 0.0}
    assert sum(read.values()) == endpoint.total("replication_latency_seconds_count")
    assert endpoint.total("batches_total") == endpoint.total("apply_seconds_count")
    assert endpoint.total("shards") == 2
    until(lambda: set(endpoint.by("pending_seconds", "shard").values()) == {0.0}, "nothing pending")


def test_metrics_never_stop_a_replication(make_fleet: MakeFleet) -> None:
    """The process that tells them is killed: it is started again, and goes on counting where it was."""
    port = free_port()
    fleet = make_fleet(shards=1, metricsPort=str(port), metricsAddress="127.0.0.1")
    daemon = fleet.start()
    endpoint = Endpoint(port)
    fleet.simulator.put({"id": {"S": "before"}})
    until(lambda: endpoint.total("records_total") == 1, "the first record")
    (exporter,) = _exporters(daemon)
    os.kill(exporter.pid, signal.SIGKILL)
    fleet.simulator.put({"id": {"S": "after"}})
    fleet.wait_equal()
    until(lambda: endpoint.total("records_total") == 2, "both records")
    assert daemon.console.count('metrics_process_ended end="ended with 137"') == 1
    daemon.process.kill()
    daemon.wait()
    until(lambda: not _listens(port), "the exporter's end")


def test_a_heartbeat_measures_a_silent_table(pair: Pair, replicator: Callable[..., Replicator]) -> None:
    """Where nothing is written, the heartbeat's item arrives, again and again, and its lag is told."""
    port = free_port()
    pair.settings |= {"metricsPort": str(port), "metricsAddress": "127.0.0.1", "heartbeatSeconds": "1"}
    endpoint = Endpoint(port)
    with replicator(pair.settings):
        until(lambda: endpoint.total("heartbeat_latency_seconds"), "a heartbeat")
        assert (
            endpoint.total("heartbeat_latency_seconds") < 60
        )  # the source's clock in the stream is a minute coarse here
        seen = endpoint.total("records_total")
        until(lambda: endpoint.total("records_total") > seen, "the next one")
        (key,) = pair.replicated()
        assert key == f"dynamodb-replicator-heartbeat/{pair.settings['taskName']}"


def _exporters(daemon: Replicator) -> list[psutil.Process]:
    children = psutil.Process(daemon.process.pid).children()
    return [child for child in children if "processor.metrics.exporter" in child.cmdline()]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
