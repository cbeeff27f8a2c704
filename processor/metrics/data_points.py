"""Turns the collector's families into points: the current value of each series of ``instruments.INSTRUMENTS``. Pure.

Prometheus's histograms have cumulative buckets; CloudWatch and OTLP want each bucket's own count. Families that are not
an instrument of ours, and samples without a finite value, are left out: no publisher may send them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from processor.metrics.instruments import INSTRUMENTS, Instrument

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.samples import Sample

Labels = tuple[tuple[str, str], ...]
# prometheus_client names a counter's family without this suffix, and its samples with it.
_TOTAL = "_total"
_BY_FAMILY: Mapping[str, Instrument] = {each.name.removesuffix(_TOTAL): each for each in INSTRUMENTS}


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many observations fell into each bucket, and their sum.

    :param bounds: upper bounds, ascending, without infinity
    :param counts: one more than ``bounds``; the last counts the observations above all of them
    """

    bounds: tuple[float, ...]
    counts: tuple[float, ...]
    sum: float

    @property
    def count(self) -> float:
        """All observations."""
        return sum(self.counts)

    def __add__(self, other: Histogram) -> Histogram:
        """The sum of both; their bounds must be equal."""
        return Histogram(
            self.bounds, tuple(map(sum, zip(self.counts, other.counts, strict=True))), self.sum + other.sum
        )

    def since(self, earlier: Histogram) -> Histogram:
        """What was added after ``earlier``; all of it if the series began again meanwhile."""
        counts = tuple(now - then for now, then in zip(self.counts, earlier.counts, strict=True))
        return self if min(counts) < 0 else Histogram(self.bounds, counts, max(0.0, self.sum - earlier.sum))


@dataclass(frozen=True, slots=True)
class Point:
    """The current value of one series. ``labels`` are the instrument's own, in its order, including ``task``."""

    instrument: Instrument
    labels: Labels
    value: float | Histogram

    @property
    def shard(self) -> str | None:
        """The shard that it belongs to, if any."""
        return dict(self.labels).get("shard")


def points(families: Iterable[Metric]) -> Iterator[Point]:
    """Each series of each instrument; the counts of several processes for one series must be merged before."""
    for family in families:
        instrument = _BY_FAMILY.get(family.name.removesuffix(_TOTAL))
        if instrument is None:
            continue
        if instrument.kind == "histogram":
            yield from _histograms(instrument, family.samples)
        else:
            for sample in family.samples:
                if sample.name == instrument.name and math.isfinite(sample.value):
                    yield Point(instrument, _labels(instrument, sample), float(sample.value))


def _labels(instrument: Instrument, sample: Sample) -> Labels:
    return tuple((name, sample.labels[name]) for name in instrument.label_names if name in sample.labels)


def _histograms(instrument: Instrument, samples: Iterable[Sample]) -> Iterator[Point]:
    reached: defaultdict[Labels, dict[float, float]] = defaultdict(dict)
    sums: dict[Labels, float] = {}
    for sample in samples:
        if sample.name == f"{instrument.name}_bucket":
            reached[_labels(instrument, sample)][float(sample.labels["le"])] = sample.value
        elif sample.name == f"{instrument.name}_sum":
            sums[_labels(instrument, sample)] = sample.value
    for labels, cumulative in reached.items():
        bounds = tuple(sorted(cumulative))
        below = (0.0, *(cumulative[bound] for bound in bounds))
        counts = tuple(max(0.0, upper - lower) for lower, upper in pairwise(below))
        total = sums.get(labels, 0.0)
        if bounds[-1] == math.inf and math.isfinite(total):
            yield Point(instrument, labels, Histogram(bounds[:-1], counts, total))
