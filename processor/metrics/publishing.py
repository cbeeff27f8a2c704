"""Sends a process's metrics to those who don't come for them, each in a thread of its own: CloudWatch, OTLP.

No failure stops what is measured, or goes unsaid: it is said at once, then rarely.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from processor.dynamodb import Clients
from processor.logs import Log
from processor.metrics import cloudwatch, otlp
from processor.retry import Outage
from processor.settings import Settings

if TYPE_CHECKING:
    from prometheus_client.core import Metric

# How long the end of a process may wait for what is sent last.
LAST_SECONDS = 10.0
# A try a minute: each of them a message would be too many.
_FIRST_INTERVAL_SECONDS = 600.0
_LAST_INTERVAL_SECONDS = 3600.0

Collect = Callable[[], "Iterable[Metric]"]


class Publisher(Protocol):
    """Sends what the families say, at each ``interval_seconds``."""

    interval_seconds: float

    def publish(self, families: Iterable[Metric]) -> None:
        """Send it; raises where it is not taken."""

    def close(self) -> None:
        """Let go of connections; nothing is published after."""


@contextmanager
def publishers(
    settings: Settings,
    collect: Collect,
    clients: Clients,
    log: Log,
    *,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[None]:
    """Publish to whom the settings and the environment name, until the context is left; then once more."""
    chosen: dict[str, Publisher] = {}
    anything, each_shard = cloudwatch.levels(settings)
    if anything:
        chosen["cloudwatch"] = cloudwatch.CloudWatchPublisher(
            clients, namespace=settings.checkpoint_table, region=settings.kcl_region, each_shard=each_shard
        )
    if (by_otlp := otlp.publisher(environment, log)) is not None:
        chosen["otlp"] = by_otlp
    with publishing(chosen, collect, log):
        yield


@contextmanager
def publishing(chosen: Mapping[str, Publisher], collect: Collect, log: Log) -> Iterator[None]:
    """Run these, by their names."""
    stop = threading.Event()
    threads = [
        threading.Thread(
            target=_run, args=(publisher, collect, _outage(log, name), stop), name=f"metrics-{name}", daemon=True
        )
        for name, publisher in chosen.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        deadline = time.monotonic() + LAST_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def until_next(now: float, interval_seconds: float) -> float:
    """How long until the middle of the next interval: one datum a minute, wherever the minutes begin."""
    return interval_seconds - (now - interval_seconds / 2) % interval_seconds


def _run(publisher: Publisher, collect: Collect, outage: Outage, stop: threading.Event) -> None:
    while not stop.wait(until_next(time.time(), publisher.interval_seconds)):
        _publish(publisher, collect, outage)
    _publish(publisher, collect, outage)
    publisher.close()


def _publish(publisher: Publisher, collect: Collect, outage: Outage) -> None:
    try:
        publisher.publish(collect())
    except Exception as exc:  # noqa: BLE001  # whatever it is, nothing here may end what is measured
        outage.failed(getattr(exc, "code", type(exc).__name__), str(exc))
    else:
        outage.succeeded()


def _outage(log: Log, name: str) -> Outage:
    return Outage(
        log,
        f"{name}_delayed",
        note="Replication goes on. What was counted meanwhile is sent when it can be.",
        first_seconds=_FIRST_INTERVAL_SECONDS,
        last_seconds=_LAST_INTERVAL_SECONDS,
        quiet_seconds=_LAST_INTERVAL_SECONDS,
    )
