"""Metrics of a task, counted by hand, as a collector hands them to whoever publishes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from processor.metrics.instruments import INSTRUMENTS, Instrument

if TYPE_CHECKING:
    from prometheus_client.core import Metric

TASK = "orders"


class Counted:
    """Every instrument, in a registry of its own; a series is there once it was counted."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._made = {each.name: self._make(each) for each in INSTRUMENTS}

    def of(self, instrument: Instrument, **labels: str) -> Any:
        """One series, to count in; the task is known."""
        return self._made[instrument.name].labels(task=TASK, **labels)

    def drop(self, instrument: Instrument, **labels: str) -> None:
        """One series is no more."""
        values = {"task": TASK} | labels
        self._made[instrument.name].remove(*(values[name] for name in instrument.label_names))

    def collect(self) -> Iterable[Metric]:
        """What a publisher is given."""
        return list(self._registry.collect())

    def _make(self, instrument: Instrument) -> Any:
        if instrument.kind == "histogram":
            return Histogram(
                instrument.name,
                instrument.help,
                instrument.label_names,
                buckets=instrument.buckets,
                registry=self._registry,
            )
        kind = Counter if instrument.kind == "counter" else Gauge
        return kind(instrument.name, instrument.help, instrument.label_names, registry=self._registry)
