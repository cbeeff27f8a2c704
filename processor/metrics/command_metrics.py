"""Publishes a long command's progress to Prometheus, from its own process while it runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from processor.metrics import prometheus_endpoint
from processor.metrics.instruments import Instrument
from processor.metrics.sinks import sinks
from processor.reporting import output
from processor.settings.settings import Settings
from processor.system import program

if TYPE_CHECKING:
    from prometheus_client import Metric
    from typing_extensions import Self


class CommandMetrics(Collector):
    """Publishes while the context is entered. Any thread may collect.

    :param items: the counter of items
    :param progress: the gauge of the part that is done, from 0 to 1
    """

    def __init__(self, settings: Settings, *, items: Instrument, progress: Instrument) -> None:
        self._settings = settings
        self._items = items
        self._progress = progress
        self._lock = threading.Lock()
        self._told: dict[tuple[str, ...], tuple[int, int]] = {}
        self._stack = ExitStack()

    def tell(self, items: int, expected: int, *labels: str) -> None:
        """Set the progress.

        :param expected: items in all; 0 if that is not known
        :param labels: values of the metrics' own labels
        """
        with self._lock:
            self._told[labels] = items, expected

    def collect(self) -> Iterator[Metric]:
        """Families in prometheus_client's own shape."""
        with self._lock:
            told = dict(self._told)
        task = self._settings.task_name
        count = CounterMetricFamily(self._items.name, self._items.help, labels=self._items.label_names)
        part = GaugeMetricFamily(self._progress.name, self._progress.help, labels=self._progress.label_names)
        for labels, (items, expected) in told.items():
            count.add_metric([task, *labels], items)
            if expected:
                part.add_metric([task, *labels], min(items / expected, 1.0))
        yield count
        yield part

    def __enter__(self) -> Self:
        if "prometheus" in sinks(self._settings, os.environ):
            try:
                self._stack.enter_context(prometheus_endpoint.listening(self._settings, self))
            except OSError as exc:
                taken = f"{prometheus_endpoint.place(self._settings)} can't be listened on ({exc.strerror or exc})"
                message = (
                    f"{program.NAME}: {taken}, so Prometheus can't see how far this is. A daemon of this task may "
                    "serve its own metrics there. Nothing else is amiss; --metricsPort names another port."
                )
                output.say(message)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
