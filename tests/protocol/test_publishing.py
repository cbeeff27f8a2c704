"""Metrics on their way out: to CloudWatch as moto's server has it, and to a receiver of OTLP."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from processor.aws.clients import Clients
from processor.errors import UnavailableError
from processor.flow.outage import Outage
from processor.flow.retry_policy import METRICS
from processor.metrics import instruments, publishing
from processor.metrics.cloudwatch import CloudWatchPublisher
from processor.metrics.publishing import publishers
from processor.reporting.logs import Log
from tests.fakes.aws.moto_cloudwatch import MotoCloudWatch
from tests.fakes.metrics.metric_families import TASK, Counted
from tests.fakes.metrics.otlp_receiver import OtlpReceiver
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.fakes.task.tasks import task

REGION = "eu-west-1"
ONE, TWO = "shardId-1", "shardId-2"
SETTINGS = task(taskName=TASK)
NAMESPACE = SETTINGS.checkpoint_table


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoCloudWatch]:
    """A CloudWatch, empty, that every client finds."""
    with MotoCloudWatch(region=REGION) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def _publisher(*, each_shard: bool = True) -> CloudWatchPublisher:
    return CloudWatchPublisher(Clients(SETTINGS), namespace=NAMESPACE, region=REGION, each_shard=each_shard)


def test_cloudwatch_has_what_was_counted(cloudwatch: MotoCloudWatch) -> None:
    """However often it is published, sums equal the counters and the histograms, and gauges are as they were."""
    counted, publisher = Counted(), _publisher()
    for _ in range(3):
        counted.of(instruments.RECORDS, shard=ONE).inc(10)
        counted.of(instruments.RECORDS, shard=TWO).inc(7)
        counted.of(instruments.CHANGES, shard=ONE, outcome="dead_letter").inc(1)
        counted.of(instruments.PENDING, shard=ONE).set(4)
        counted.of(instruments.PENDING, shard=TWO).set(90)
        counted.of(instruments.RETENTION_USED, shard=TWO).set(0.5)
        for seconds in (0.12, 0.4, 33):
            counted.of(instruments.LATENCY, shard=ONE).observe(seconds)
        publisher.publish(counted.collect())
    sent = cloudwatch.values(NAMESPACE)
    assert sum(sent["RecordsApplied", None]) == 51
    assert (sum(sent["RecordsApplied", ONE]), sum(sent["RecordsApplied", TWO])) == (30, 21)
    assert sent["DeadLetters", None] == [1, 1, 1]
    assert ("DeadLetters", ONE) not in sent
    assert sent["Pending", None] == [4, 90] * 3
    assert sent["Pending", TWO] == [90] * 3
    assert sent["RetentionUsed", None] == [50] * 3
    latencies = sent["ReplicationLatency", None]
    assert len(latencies) == 9
    assert sum(latencies) == pytest.approx(3 * (0.12 + 0.4 + 33))
    assert sent["ReplicationLatency", ONE] == latencies


def test_summary_is_the_task_alone(cloudwatch: MotoCloudWatch) -> None:
    """Without shards' own metrics there is nothing under a ShardId."""
    counted = Counted()
    counted.of(instruments.RECORDS, shard=ONE).inc(10)
    counted.of(instruments.PENDING, shard=ONE).set(4)
    _publisher(each_shard=False).publish(counted.collect())
    assert set(cloudwatch.values(NAMESPACE)) == {("RecordsApplied", None), ("Pending", None)}


def test_what_another_process_published_is_not_published_again(cloudwatch: MotoCloudWatch) -> None:
    """An exporter that was started again goes on from what it finds."""
    counted, publisher = Counted(), _publisher()
    counted.of(instruments.RECORDS, shard=ONE).inc(10)
    counted.of(instruments.LATENCY, shard=ONE).observe(1)
    publisher.begin(counted.collect())
    counted.of(instruments.RECORDS, shard=ONE).inc(2)
    publisher.publish(counted.collect())
    assert cloudwatch.values(NAMESPACE) == {("RecordsApplied", None): [2], ("RecordsApplied", ONE): [2]}


def test_what_could_not_be_sent_comes_with_the_next(
    cloudwatch: MotoCloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage of CloudWatch loses no count, not even of a shard that ended meanwhile."""
    counted, clients = Counted(), Clients(SETTINGS)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    publisher = CloudWatchPublisher(clients, namespace=NAMESPACE, region=REGION, each_shard=True)
    for _ in range(2):
        counted.of(instruments.RECORDS, shard=ONE).inc(10)
        counted.of(instruments.LATENCY, shard=ONE).observe(2)
        with pytest.raises(UnavailableError, match=f"PutMetricData to namespace {NAMESPACE} in {REGION}"):
            publisher.publish(counted.collect())
    counted.drop(instruments.RECORDS, shard=ONE)
    clients._made.clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.endpoint)
    for _ in range(2):
        publisher.publish(counted.collect())
    sent = cloudwatch.values(NAMESPACE)
    assert sum(sent["RecordsApplied", None]) == sum(sent["RecordsApplied", ONE]) == 20
    assert sent["ReplicationLatency", ONE] == pytest.approx([2, 2])


def test_many_shards_take_several_requests(cloudwatch: MotoCloudWatch) -> None:
    """Past what one request may have, all of it arrives all the same."""
    counted = Counted()
    for number in range(1200):
        counted.of(instruments.PENDING, shard=f"shardId-{number}").set(number)
    _publisher().publish(counted.collect())
    sent = cloudwatch.values(NAMESPACE)
    assert list(range(1200)) == sorted(sent["Pending", None])
    assert len(sent) == 1201


def test_the_last_is_published_at_the_end(cloudwatch: MotoCloudWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was counted before the context is left is sent, however long the interval."""
    monkeypatch.setattr(publishing, "FINAL_SEND_SECONDS", PATIENCE_SECONDS)
    counted = Counted()
    with publishers(SETTINGS, counted.collect, Clients(SETTINGS), Log(), environment={}):
        counted.of(instruments.BATCHES, shard=ONE).inc(5)
    assert sum(cloudwatch.values(NAMESPACE)["BatchesApplied", None]) == 5


def test_nobody_is_told_where_nobody_asked(cloudwatch: MotoCloudWatch) -> None:
    """Under dontPublishCloudwatch there is no call at all."""
    counted = Counted()
    counted.of(instruments.BATCHES, shard=ONE).inc(5)
    settings = task(taskName=TASK, dontPublishCloudwatch="true")
    before = set(threading.enumerate())  # what another test has left may still be ending
    with publishers(settings, counted.collect, Clients(settings), Log(), environment={}):
        assert [each for each in set(threading.enumerate()) - before if each.name == "metrics-publisher"] == []
    assert cloudwatch.values(NAMESPACE) == {}


def test_a_failure_is_said_once_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every interval is tried; the log has one line of it."""
    monkeypatch.setattr(publishing, "until_next", lambda *_: 0.001)
    tries = 0

    class Broken:
        interval_seconds = 60.0

        def begin(self, _: object) -> None:
            """Nothing."""

        def publish(self, _: object) -> None:
            """Fail."""
            nonlocal tries
            tries += 1
            message = "no such host"
            raise OSError(message)

        def close(self) -> None:
            """Nothing."""

    outage = Outage(Log(), "somewhere_delayed", note="", rhythm=METRICS.rhythm)
    with publishing.publishing([(Broken(), outage)], list):
        until(lambda: tries > 20, "20 tries")
    said = [record for record in caplog.records if record.getMessage() == "somewhere_delayed"]
    assert [record.levelno for record in said] == [logging.WARNING]
    assert said[0].fields["reason"] == "no such host"


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """A collector of OpenTelemetry's, more or less."""
    with OtlpReceiver() as made:
        yield made


@pytest.fixture
def otlp(monkeypatch: pytest.MonkeyPatch, receiver: OtlpReceiver) -> Callable[..., dict[str, str]]:
    """OpenTelemetry's variables, as they lead to the receiver."""

    def variables(**more: str) -> dict[str, str]:
        made = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint} | more
        for name, value in made.items():
            monkeypatch.setenv(name, value)
        return made

    return variables


QUIET = task(taskName=TASK, dontPublishCloudwatch="true")


def test_otlp_has_what_was_counted(receiver: OtlpReceiver, otlp: Callable[..., dict[str, str]]) -> None:
    """Sums are cumulative with a start, histograms keep their buckets, and the variables say where and as whom."""
    counted = Counted()
    environment = otlp(OTEL_EXPORTER_OTLP_HEADERS="api-key=abc", OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test")
    counted.of(instruments.RECORDS, shard=ONE).inc(10)
    counted.of(instruments.SHARDS).set(2)
    for seconds in (0.12, 0.4, 33):
        counted.of(instruments.LATENCY, shard=ONE).observe(seconds)
    with publishers(QUIET, counted.collect, Clients(QUIET), Log(), environment=environment):
        pass
    assert (receiver.headers["path"], receiver.headers["api-key"]) == ("/v1/metrics", "abc")
    resource = receiver.resource()
    assert (resource["service.name"], resource["deployment.environment"]) == ("dynamodb-replicator", "test")
    assert resource["service.instance.id"]
    sent = receiver.metrics()
    records = sent[instruments.RECORDS.name].sum
    assert (records.is_monotonic, records.aggregation_temporality) == (True, 2)
    (point,) = records.data_points
    assert (point.as_double, 0 < point.start_time_unix_nano < point.time_unix_nano) == (10, True)
    assert {each.key: each.value.string_value for each in point.attributes} == {"task": TASK, "shard": ONE}
    (shards,) = sent[instruments.SHARDS.name].gauge.data_points
    assert shards.as_double == 2
    latency = sent[instruments.LATENCY.name]
    (histogram,) = latency.histogram.data_points
    assert latency.unit == "s"
    assert (histogram.count, histogram.sum) == (3, pytest.approx(33.52))
    assert tuple(histogram.explicit_bounds) == instruments.LATENCY_BUCKETS
    assert (sum(histogram.bucket_counts), len(histogram.bucket_counts)) == (3, len(instruments.LATENCY_BUCKETS) + 1)
    assert not histogram.HasField("min")


def test_the_service_has_the_name_it_is_given(receiver: OtlpReceiver, otlp: Callable[..., dict[str, str]]) -> None:
    """OTEL_SERVICE_NAME wins over ours."""
    counted = Counted()
    counted.of(instruments.SHARDS).set(2)
    environment = otlp(OTEL_SERVICE_NAME="orders-replicator")
    with publishers(QUIET, counted.collect, Clients(QUIET), Log(), environment=environment):
        pass
    assert receiver.resource()["service.name"] == "orders-replicator"


def test_a_refusing_receiver_is_said(
    receiver: OtlpReceiver, otlp: Callable[..., dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    """What the exporter says of a refusal is in our log, in one line."""
    receiver.status = 400
    counted = Counted()
    counted.of(instruments.SHARDS).set(2)
    with publishers(QUIET, counted.collect, Clients(QUIET), Log(), environment=otlp()):
        pass
    (said,) = [record for record in caplog.records if record.getMessage() == "otlp_delayed"]
    assert "400" in said.fields["reason"]
    assert [record for record in caplog.records if record.name.startswith("opentelemetry")] == []


@pytest.mark.parametrize(
    ("more", "remedy"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "api-key: hush-hush"}, "is not name=value"),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "1m"}, "OTEL_METRIC_EXPORT_INTERVAL=1m"),
        ({}, "pip install opentelemetry-exporter-otlp-proto-http"),
    ],
)
def test_what_cannot_be_done_is_one_warning(
    otlp: Callable[..., dict[str, str]],
    more: dict[str, str],
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Variables that can't be followed, or packages that are missing, are said with the remedy, and stop nothing."""
    if not more:
        monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None)
    with publishers(QUIET, Counted().collect, Clients(QUIET), Log(), environment=otlp(**more)):
        pass
    (said,) = [record for record in caplog.records if record.getMessage() == "otlp_unavailable"]
    assert remedy in said.fields["reason"]
    assert "hush-hush" not in caplog.text + str(said.fields)
