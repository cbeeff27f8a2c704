"""Families of Prometheus's client → points, and points → what CloudWatch takes."""

from __future__ import annotations

import math
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import GaugeMetricFamily

from processor.metrics import cloudwatch, instruments
from processor.metrics.cloudwatch_names import NAMES, Name, name_of
from processor.metrics.data_points import Histogram, Point, points
from processor.metrics.instruments import INSTRUMENTS
from processor.metrics.sinks import publishes_each_shard, sinks
from tests.fakes.metrics.metric_families import TASK, Counted
from tests.fakes.task.tasks import task

SHARD = "shardId-1"


def test_each_series_is_a_point() -> None:
    """Counters and gauges come with their labels; what was never counted does not come."""
    counted = Counted()
    counted.of(instruments.CHANGES, shard=SHARD, outcome="put").inc(3)
    counted.of(instruments.SHARDS).set(2)
    labels = (("task", TASK), ("shard", SHARD), ("outcome", "put"))
    assert list(points(counted.collect())) == [
        Point(instruments.CHANGES, labels, 3.0),
        Point(instruments.SHARDS, (("task", TASK),), 2.0),
    ]


def test_a_histograms_buckets_are_its_own_counts() -> None:
    """Each bucket has what fell into it alone, the last what lies above all bounds."""
    counted = Counted()
    for seconds in (0.001, 0.2, 0.2, 1000):
        counted.of(instruments.APPLY, shard=SHARD).observe(seconds)
    (point,) = points(counted.collect())
    assert isinstance(point.value, Histogram)
    assert point.value.bounds == instruments.APPLY_BUCKETS
    filled = {
        bound: count for bound, count in zip((*point.value.bounds, math.inf), point.value.counts, strict=True) if count
    }
    assert filled == {0.005: 1, 0.25: 2, math.inf: 1}
    assert (point.value.count, point.value.sum) == (4, pytest.approx(1000.401))


def test_what_nobody_may_send_is_left_out() -> None:
    """Families that are no instrument, and values that are no number, are no points."""
    foreign = GaugeMetricFamily("python_info", "of others", value=1)
    broken = GaugeMetricFamily(instruments.SHARDS.name, "here", labels=["task"])
    broken.add_metric([TASK], math.nan)
    assert list(points([foreign, broken])) == []


def test_every_instrument_of_a_daemon_has_its_cloudwatch_name() -> None:
    """No series is forgotten, and no name is had twice; copy and verify tell Prometheus alone."""
    told = {"outcome": instruments.OUTCOMES, "verdict": instruments.VERDICTS, "reason": instruments.RETRY_REASONS}
    commands = {
        instruments.COPY_ITEMS,
        instruments.COPY_PROGRESS,
        instruments.VERIFY_ITEMS,
        instruments.VERIFY_PROGRESS,
    }
    series = {
        (each.name, value)
        for each in INSTRUMENTS
        if each not in commands
        for value in next((told[label] for label in each.labels if label in told), ("",))
    }
    assert set(NAMES) == series
    assert len({name.name for name in NAMES.values()}) == len(NAMES)


def test_a_label_that_nobody_knows_has_no_name() -> None:
    """An outcome of a later version is left out, not sent under another's name."""
    labels = (("task", TASK), ("shard", SHARD), ("outcome", "guessed"))
    assert name_of(Point(instruments.CHANGES, labels, 1.0)) is None


_COUNTS = st.lists(st.integers(0, 1000), min_size=4, max_size=4)


@given(_COUNTS, st.floats(0, 1))
def test_spread_keeps_buckets_and_sum(counts: list[int], place: float) -> None:
    """The values lie within their buckets, each as often as it was counted, and their sum is the histogram's."""
    lower, upper = (0.0, 1.0, 5.0, 60.0), (1.0, 5.0, 60.0, 60.0)
    total = sum(count * (low + place * (high - low)) for low, high, count in zip(lower, upper, counts, strict=True))
    histogram = Histogram((1.0, 5.0, 60.0), tuple(map(float, counts)), total)
    pairs = cloudwatch.spread(histogram)
    assert [count for count in counts if count] == [count for _, count in pairs]
    assert sum(value * count for value, count in pairs) == pytest.approx(total)
    filled = [(low, high) for low, high, count in zip(lower, upper, counts, strict=True) if count]
    assert all(low <= value <= high for (value, _), (low, high) in zip(pairs, filled, strict=True))


def test_what_came_since() -> None:
    """A series that began anew counts whole; any other from where it was."""
    earlier, later = Histogram((1.0,), (2.0, 0.0), 1.0), Histogram((1.0,), (2.0, 3.0), 31.0)
    assert Histogram((1.0,), (0.0, 3.0), 30.0) == later.since(earlier)
    assert earlier == earlier.since(later)
    assert Histogram((1.0,), (4.0, 3.0), 32.0) == earlier + later


@pytest.mark.parametrize(("size", "requests"), [(1, [1000, 1000, 500]), (150, [26] * 96 + [4])])
def test_a_request_has_no_more_than_cloudwatch_takes(size: int, requests: list[int]) -> None:
    """1000 metrics, and so many values that 1 MB is enough for them."""
    key = Name("Pending", "Seconds"), None
    datum = cloudwatch._valued(key, [(float(value), 1.0) for value in range(size)], datetime.now(timezone.utc))
    made = list(cloudwatch.batches([(key, datum)] * 2500))
    assert requests == [len(batch) for batch in made]


@pytest.mark.parametrize(
    ("given_", "anything", "each_shard"),
    [
        ({}, True, True),
        ({"dontPublishCloudwatch": "true"}, False, True),
        ({"metricsLevel": "none"}, False, True),
        ({"metricsLevel": "SUMMARY"}, True, False),
        ({"metricsEnabledDimensions": "Operation"}, True, False),
        ({"metricsEnabledDimensions": "Operation,ShardId"}, True, True),
        ({"metricsEnabledDimensions": "ALL"}, True, True),
    ],
)
def test_kcls_words_say_what_cloudwatch_gets(given_: dict[str, str], anything: bool, each_shard: bool) -> None:  # noqa: FBT001
    """What metricsLevel and metricsEnabledDimensions mean for KCL's metrics, they mean for ours."""
    assert anything == ("cloudwatch" in sinks(task(**given_), {}))
    assert each_shard == publishes_each_shard(task(**given_))


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318/v1/metrics"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_METRICS_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_METRICS_EXPORTER": "console,otlp"}, True),
    ],
)
def test_opentelemetrys_variables_ask_for_otlp(environment: dict[str, str], asked: bool) -> None:  # noqa: FBT001
    """An endpoint turns it on, the SDK's own switches turn it off."""
    assert asked == ("otlp" in sinks(task(), environment))
