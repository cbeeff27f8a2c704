"""Where a task's metrics go, by its settings and OpenTelemetry's variables. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from processor.settings.settings import Settings

Sink = Literal["prometheus", "cloudwatch", "otlp", "heartbeat"]
# https://opentelemetry.io/docs/specs/otel/protocol/exporter/: either says where to, and only that turns it on here.
OTLP_VARIABLES = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def sinks(settings: Settings, environment: Mapping[str, str]) -> frozenset[Sink]:
    """Those that are asked for; where there are none, nothing is measured."""
    otlp_is_off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or "otlp" not in (
        environment.get("OTEL_METRICS_EXPORTER") or "otlp"
    ).split(",")
    asked: dict[Sink, bool] = {
        "prometheus": settings.metrics_port is not None,
        "cloudwatch": not settings.dont_publish_cloudwatch and _kcl_level(settings) != "NONE",
        "otlp": not otlp_is_off and any(environment.get(name) for name in OTLP_VARIABLES),
        "heartbeat": settings.heartbeat_seconds is not None,
    }
    return frozenset(sink for sink, is_asked in asked.items() if is_asked)


def publishes_each_shard(settings: Settings) -> bool:
    """Whether CloudWatch gets shards' metrics beside the task's, by the words that KCL has for its own."""
    dimensions = {name.strip() for name in settings.kcl.get("metricsEnabledDimensions", "ShardId").split(",")}
    return _kcl_level(settings) != "SUMMARY" and bool(dimensions & {"ALL", "ShardId"})


def _kcl_level(settings: Settings) -> str:
    return settings.kcl.get("metricsLevel", "DETAILED").strip().upper()
