"""A daemon's metrics where it publishes them, beside KCL's own."""

from __future__ import annotations

from collections.abc import Callable

from processor.metrics import instruments
from tests.fakes.aws.moto_cloudwatch import MotoCloudWatch
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.metrics.otlp_receiver import OtlpReceiver
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair


def test_cloudwatch_and_otlp_have_what_was_applied(pair: Pair, replicator: Callable[..., Replicator]) -> None:
    """Both have the count of what was replicated, the last of it at the stop; KCL's own metrics are beside ours."""
    pair.settings |= {"dontPublishCloudwatch": "false", "metricsBufferTimeMillis": "1000"}
    with MotoCloudWatch(region="us-east-1") as cloudwatch, OtlpReceiver() as receiver:
        environment = cloudwatch.environment | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
        }
        daemon = replicator(pair.settings)
        daemon.start(environment=environment)
        for number in range(20):
            pair.put(f"key-{number}")
        pair.wait_equal()
        until(lambda: "MillisBehindLatest" in {name for name, _ in cloudwatch.values(pair.checkpoint_table)}, "KCL's")
        until(lambda: instruments.RECORDS.name in receiver.metrics(), "a record, by OTLP")
        assert daemon.stop() == 0
        (records,) = receiver.metrics()[instruments.RECORDS.name].sum.data_points
        assert records.as_double == 20
        until(lambda: ("RecordsApplied", None) in cloudwatch.values(pair.checkpoint_table), "the last publish")
        sent = cloudwatch.values(pair.checkpoint_table)
        assert sum(sent["RecordsApplied", None]) == 20
        assert len(sent["ReplicationLatency", None]) == 20
