"""Publishes by OTLP, as OpenTelemetry's own variables say: https://opentelemetry.io/docs/specs/otel/protocol/exporter/.

OpenTelemetry's exporter sends (protobuf over HTTP) and reads most of the variables itself. Its packages are an extra,
and imported only if a variable asks for them. Sums are cumulative, under the same names as for Prometheus.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from processor.errors import UnavailableError
from processor.metrics.data_points import Histogram, Labels, Point, points
from processor.metrics.instruments import Instrument
from processor.metrics.sinks import OTLP_VARIABLES
from processor.reporting.logs import Log

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import export
    from opentelemetry.sdk.resources import Resource
    from prometheus_client.core import Metric

PROTOCOLS = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"
PACKAGE = "opentelemetry-exporter-otlp-proto-http"
SERVICE = "dynamodb-replicator"
# The specification's default of OTEL_METRIC_EXPORT_INTERVAL.
INTERVAL_MS = 60_000
# The endings of our names, with the UCUM codes that OpenTelemetry wants for these units.
_UNITS = (("_seconds", "s"), ("_bytes_total", "By"), ("_ratio", "1"))


def publisher(environment: Mapping[str, str], log: Log) -> OtlpPublisher | None:
    """The OTLP publisher, or None with a warning if its packages or variables can't be used."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    endpoint = next(name for name in OTLP_VARIABLES if name in given)
    interval = given.get("OTEL_METRIC_EXPORT_INTERVAL", str(INTERVAL_MS))
    protocol = next((name for name in PROTOCOLS if given.get(name, _PROTOCOL) != _PROTOCOL), None)
    if protocol is not None:
        reason = f"{protocol}={given[protocol]}, and only {_PROTOCOL} is spoken here. Set it to that"
    elif not interval.isdigit() or int(interval) == 0:
        reason = f"OTEL_METRIC_EXPORT_INTERVAL={interval} is no number of milliseconds. Set one, such as 60000"
    else:
        try:
            return OtlpPublisher(interval_seconds=int(interval) / 1000)
        except ImportError as exc:
            reason = f"{PACKAGE} is not installed ({exc}). Install it: .venv/bin/python -m pip install {PACKAGE}"
        except Exception as exc:  # noqa: BLE001  # the SDK's own checks of the other variables; all else is to go on
            reason = f"another variable can't be used ({exc}). Set it right"
    log.warning(
        "otlp_unavailable",
        reason=f"{endpoint} is set, but {reason}, or unset {endpoint}.",
        note="No metrics are sent by OTLP until the next start; all else goes on.",
    )
    return None


class OtlpPublisher:
    """Publishes one process's metrics in the form of OpenTelemetry's SDK.

    :raises ImportError: OpenTelemetry's packages are not installed
    :raises ValueError: a header in OpenTelemetry's variables is invalid
    """

    def __init__(self, *, interval_seconds: float, now_ns: Callable[[], int] = time.time_ns) -> None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # an extra
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource

        self.interval_seconds = interval_seconds
        self._now_ns = now_ns
        self._last_ns = now_ns()
        self._said = _Said()
        with self._said:
            self._exporter: OTLPMetricExporter = OTLPMetricExporter()
        if self._said.last:
            raise ValueError(self._said.last)
        # Two daemons may have had the same shard; without an instance id, their sums would be one series.
        ours = Resource.create({"service.name": SERVICE, "service.instance.id": str(uuid.uuid4())})
        self._resource: Resource = ours.merge(OTELResourceDetector().detect())
        # For each series: since when it counts, and its value at the last time.
        self._before: dict[tuple[str, Labels], tuple[int, float]] = {}
        self._series: dict[tuple[str, Labels], tuple[int, float]] = {}

    def begin(self, families: Iterable[Metric]) -> None:
        """Do nothing: sums are cumulative."""

    def publish(self, families: Iterable[Metric]) -> None:
        """Send everything.

        :raises UnavailableError: it was not accepted
        """
        from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData, ResourceMetrics, ScopeMetrics
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        grouped: defaultdict[str, list[Point]] = defaultdict(list)
        for point in points(families):
            grouped[point.instrument.name].append(point)
        now = self._now_ns()
        self._before, self._series = self._series, {}
        metrics = [self._metric(same[0].instrument, same, now) for same in grouped.values()]
        self._last_ns = now
        if not metrics:
            return
        scope = ScopeMetrics(InstrumentationScope(SERVICE), metrics, schema_url="")
        with self._said:
            result = self._exporter.export(MetricsData([ResourceMetrics(self._resource, [scope], schema_url="")]))
        if result is not MetricExportResult.SUCCESS:
            raise UnavailableError(self._said.last or "the metrics were not taken", code="OTLP")

    def close(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def _metric(self, instrument: Instrument, same: Sequence[Point], now: int) -> export.Metric:
        from opentelemetry.sdk.metrics import export

        unit = next((unit for ending, unit in _UNITS if instrument.name.endswith(ending)), "")
        cumulative = export.AggregationTemporality.CUMULATIVE
        data: export.DataT
        if instrument.kind == "histogram":
            data = export.Histogram([self._histogram(point, now) for point in same], cumulative)
        elif instrument.kind == "counter":
            data = export.Sum([self._number(point, now) for point in same], cumulative, is_monotonic=True)
        else:
            data = export.Gauge([self._number(point, now) for point in same])
        return export.Metric(instrument.name, instrument.help, unit, data)

    def _number(self, point: Point, now: int) -> export.NumberDataPoint:
        from opentelemetry.sdk.metrics.export import NumberDataPoint

        assert not isinstance(point.value, Histogram)  # noqa: S101  # its kind says so
        start = 0 if point.instrument.kind == "gauge" else self._start(point, point.value)
        return NumberDataPoint(dict(point.labels), start, now, point.value)

    def _histogram(self, point: Point, now: int) -> export.HistogramDataPoint:
        from opentelemetry.sdk.metrics.export import HistogramDataPoint

        assert isinstance(point.value, Histogram)  # noqa: S101  # its kind says so
        value = point.value
        return HistogramDataPoint(
            attributes=dict(point.labels),
            start_time_unix_nano=self._start(point, value.count),
            time_unix_nano=now,
            count=round(value.count),
            sum=value.sum,
            bucket_counts=[round(count) for count in value.counts],
            explicit_bounds=list(value.bounds),
            min=None,  # type: ignore[arg-type]  # optional in the protocol, and unknown here
            max=None,  # type: ignore[arg-type]
        )

    def _start(self, point: Point, value: float) -> int:
        """Since when the series counts: since the publication before it was first seen, or last began again."""
        series = point.instrument.name, point.labels
        start, before = self._before.get(series, (self._last_ns, 0.0))
        start = self._last_ns if value < before else start
        self._series[series] = start, value
        return start


class _Said(logging.Handler):
    """Captures what the exporter logs within the context, so that our own log can report it, rarely."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""
        self._logger = logging.getLogger("opentelemetry")

    def emit(self, record: logging.LogRecord) -> None:
        # The exporter would log the whole header, which usually is somebody's key.
        of_a_header = record.name == "opentelemetry.util.re"
        self.last = (
            "a header in OTEL_EXPORTER_OTLP_..._HEADERS is not name=value" if of_a_header else record.getMessage()
        )

    def __enter__(self) -> None:
        self.last = ""
        self._propagate, self._logger.propagate = self._logger.propagate, False
        self._logger.addHandler(self)

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagate
