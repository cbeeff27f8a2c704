"""Publishes to CloudWatch, in the namespace of KCL's own metrics of the task: its ``applicationName``.

PutMetricData: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html.
Counters and histograms are sent as what was added since the last time. What could not be sent is kept and sent with the
next, under the later time; if only the answer was lost, it counts twice. Gauges are sent once or not at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, cast

from processor.aws.clients import Clients
from processor.aws.errors import aws_errors
from processor.metrics.cloudwatch_names import Name, name_of
from processor.metrics.data_points import Histogram, Labels, Point, points

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from prometheus_client.core import Metric

INTERVAL_SECONDS = 60.0
# CloudWatch's limits for a request and for a datum.
MOST_DATA = 1000
MOST_VALUES = 150
# A request may have 1 MB; a value and its count take up to 120 bytes in the wordiest protocol, a datum some 400 more.
_MOST_VALUES_A_REQUEST = 4000
# Limit of series that may wait until CloudWatch accepts them: a day's, of some hundred shards that end every four
# hours.
_MOST_OWED = 5000

Key = tuple[Name, str | None]


def spread(histogram: Histogram) -> list[tuple[float, float]]:
    """One value and its count for each non-empty bucket: the value is within the bucket, and the sum of all is right.

    So averages are exact, and a percentile is wrong by at most the width of its bucket.
    """
    lower = (0.0, *histogram.bounds)
    upper = (*histogram.bounds, histogram.bounds[-1])
    filled = [(low, high, count) for low, high, count in zip(lower, upper, histogram.counts, strict=True) if count]
    least = sum(low * count for low, _, count in filled)
    room = sum((high - low) * count for low, high, count in filled)
    part = min(1.0, max(0.0, (histogram.sum - least) / room)) if room else 0.0
    return [(low + part * (high - low), count) for low, high, count in filled]


class CloudWatchPublisher:
    """Publishes one process's metrics to CloudWatch.

    :param each_shard: publish each shard's metrics beside the whole task's
    """

    interval_seconds = INTERVAL_SECONDS

    def __init__(
        self,
        clients: Clients,
        *,
        namespace: str,
        region: str,
        each_shard: bool,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._clients = clients
        self._namespace = namespace
        self._region = region
        self._each_shard = each_shard
        self._now = now
        self._seen: dict[tuple[str, Labels], float | Histogram] = {}
        self._owed: dict[Key, float | Histogram] = {}

    def begin(self, families: Iterable[Metric]) -> None:
        """Take these values as published: another process has done so.

        :raises UnavailableError: for example without credentials
        """
        self._clients.cloudwatch()  # made now, because at the end of a process there may be no time
        self._seen = {(point.instrument.name, point.labels): point.value for point in points(families)}

    def publish(self, families: Iterable[Metric]) -> None:
        """Send what was added since the last time, and what could not be sent before.

        :raises UnavailableError: CloudWatch did not accept all of it
        """
        gauges = self._take(list(points(families)))
        time = self._now()
        counted = [(key, _counted(key, value, time)) for key, value in self._owed.items()]
        measured = [(key, datum) for key, values in gauges.items() for datum in _measured(key, values, time)]
        for batch in batches([*counted, *measured]):
            with aws_errors(f"PutMetricData to namespace {self._namespace} in {self._region}"):
                self._clients.cloudwatch().put_metric_data(
                    Namespace=self._namespace, MetricData=[datum for _, datum in batch]
                )
            for key, _ in batch:
                self._owed.pop(key, None)

    def close(self) -> None:
        """Do nothing: nothing is kept open."""

    def _take(self, found: Sequence[Point]) -> Mapping[Key, list[float]]:
        """Add to what is still to be sent; returns the gauges."""
        gauges: defaultdict[Key, list[float]] = defaultdict(list)
        seen, self._seen = self._seen, {}
        for point in found:
            series = point.instrument.name, point.labels
            self._seen[series] = point.value
            new = _since(point.value, seen.get(series))
            for key in self._keys(point):
                if point.instrument.kind == "gauge":
                    gauges[key].append(float(point.value) * key[0].factor)  # type: ignore[arg-type]  # no histogram
                elif _is_worth_sending(key, new):
                    owed = self._owed.get(key)
                    self._owed[key] = new if owed is None else owed + new  # type: ignore[operator]  # of one kind
        surplus = len(self._owed) - _MOST_OWED
        for key in list(islice((key for key in self._owed if key[1] is not None), max(0, surplus))):
            del self._owed[key]
        return gauges

    def _keys(self, point: Point) -> Iterator[Key]:
        name = name_of(point)
        if name is not None:
            yield name, None
            if self._each_shard and name.each_shard and point.shard is not None:
                yield name, point.shard


def _is_worth_sending(key: Key, value: float | Histogram) -> bool:
    """Whether there is a value to send: CloudWatch bills each metric that is sent, so unchanged ones are left out."""
    if isinstance(value, Histogram):
        return value.count > 0
    return value > 0 or key[1] is None


def _since(value: float | Histogram, before: float | Histogram | None) -> float | Histogram:
    """What was added after ``before``; all of it if the series is new, or began again."""
    if isinstance(value, Histogram):
        return value.since(before) if isinstance(before, Histogram) else value
    return value - before if isinstance(before, float) and before <= value else value


def _datum(key: Key, time: datetime, what: Mapping[str, float | list[float]]) -> MetricDatumTypeDef:
    name, shard = key
    dimensions = [{"Name": "ShardId", "Value": shard}] if shard else []
    common = {"MetricName": name.name, "Unit": name.unit, "Timestamp": time, "Dimensions": dimensions}
    return cast("MetricDatumTypeDef", {**common, **what})


def _counted(key: Key, value: float | Histogram, time: datetime) -> MetricDatumTypeDef:
    if isinstance(value, Histogram):
        return _valued(key, spread(value), time)
    return _datum(key, time, {"Value": value})


def _measured(key: Key, values: Sequence[float], time: datetime) -> Iterator[MetricDatumTypeDef]:
    """A gauge's values of all shards, so that Maximum and percentiles are over the shards."""
    pairs = sorted(Counter(values).items())
    for first in range(0, len(pairs), MOST_VALUES):
        yield _valued(key, pairs[first : first + MOST_VALUES], time)


def _valued(key: Key, pairs: Sequence[tuple[float, float]], time: datetime) -> MetricDatumTypeDef:
    return _datum(key, time, {"Values": [value for value, _ in pairs], "Counts": [count for _, count in pairs]})


def batches(data: Iterable[tuple[Key, MetricDatumTypeDef]]) -> Iterator[list[tuple[Key, MetricDatumTypeDef]]]:
    """Split the data into parts that fit one request each."""
    batch: list[tuple[Key, MetricDatumTypeDef]] = []
    values = 0
    for key, datum in data:
        size = len(datum.get("Values", ())) or 1
        if batch and (len(batch) == MOST_DATA or values + size > _MOST_VALUES_A_REQUEST):
            yield batch
            batch, values = [], 0
        batch.append((key, datum))
        values += size
    if batch:
        yield batch
