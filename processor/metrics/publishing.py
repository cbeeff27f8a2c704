"""Pushes a process's metrics to CloudWatch and OTLP, each in a thread of its own.

A failure never stops what is measured. It is reported at once, then rarely.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from processor.aws.clients import Clients
from processor.flow.outage import Outage
from processor.flow.retry_policy import METRICS
from processor.metrics import otlp
from processor.metrics.cloudwatch import CloudWatchPublisher
from processor.metrics.sinks import publishes_each_shard, sinks
from processor.reporting.logs import Log
from processor.settings.settings import Settings

if TYPE_CHECKING:
    from prometheus_client.core import Metric

# How long the end of a process may wait for the last publication; the daemon waits as long for this process
# (METRICS_GRACE_MILLIS), and its next start needs the port.
FINAL_SEND_SECONDS = 2.0
_NOTE = "Replication goes on. What was counted meanwhile is sent when it can be."

Collect = Callable[[], "Iterable[Metric]"]


class Publisher(Protocol):
    """Publishes the families' values every ``interval_seconds``."""

    interval_seconds: float

    def begin(self, families: Iterable[Metric]) -> None:
        """Take these values as published by an earlier process."""

    def publish(self, families: Iterable[Metric]) -> None:
        """Send the values; raises if they are not accepted."""

    def close(self) -> None:
        """Close connections; nothing is published afterwards."""


@contextmanager
def publishers(
    settings: Settings,
    collect: Collect,
    clients: Clients,
    log: Log,
    *,
    continued: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[None]:
    """Publish to every sink that settings and environment name, until the context is left; then once more.

    :param continued: what is collected first was already published by an earlier process
    """
    chosen: list[tuple[Publisher, Outage]] = []
    asked = sinks(settings, environment)
    if "cloudwatch" in asked:
        to_cloudwatch = CloudWatchPublisher(
            clients,
            namespace=settings.cloudwatch_namespace,
            region=settings.kcl_region,
            each_shard=publishes_each_shard(settings),
        )
        chosen.append((to_cloudwatch, Outage(log, "cloudwatch_delayed", note=_NOTE, rhythm=METRICS.rhythm)))
    if "otlp" in asked and (by_otlp := otlp.publisher(environment, log)) is not None:
        chosen.append((by_otlp, Outage(log, "otlp_delayed", note=_NOTE, rhythm=METRICS.rhythm)))
    with publishing(chosen, collect, continued=continued):
        yield


@contextmanager
def publishing(
    chosen: Sequence[tuple[Publisher, Outage]], collect: Collect, *, continued: bool = False
) -> Iterator[None]:
    """Run these publishers; each one's outage reports its failures."""
    first: Collect = collect if continued else tuple
    stop = threading.Event()
    threads = [
        threading.Thread(
            target=_run, args=(publisher, first, collect, outage, stop), name="metrics-publisher", daemon=True
        )
        for publisher, outage in chosen
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        deadline = time.monotonic() + FINAL_SEND_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def until_next(now: float, interval_seconds: float) -> float:
    """Time until the middle of the next interval, so that each minute has exactly one datum, whenever minutes begin."""
    return interval_seconds - (now - interval_seconds / 2) % interval_seconds


def _run(publisher: Publisher, first: Collect, collect: Collect, outage: Outage, stop: threading.Event) -> None:
    _try(publisher.begin, first, outage)
    while not stop.wait(until_next(time.time(), publisher.interval_seconds)):
        _try(publisher.publish, collect, outage)
    _try(publisher.publish, collect, outage)
    publisher.close()


def _try(publish: Callable[[Iterable[Metric]], None], collect: Collect, outage: Outage) -> None:
    try:
        publish(collect())
    except Exception as exc:  # noqa: BLE001  # whatever it is, nothing here may end what is measured
        outage.failed(getattr(exc, "code", type(exc).__name__), str(exc))
    else:
        outage.succeeded()
