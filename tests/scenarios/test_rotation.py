"""Credentials that are rotated: a file is rewritten, and what was in it before is refused from then on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.fakes.aws.accounts import READER
from tests.fakes.aws.fake_sts import FakeSts
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Answer, Exchange, Fault, FaultyServer
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair

# Credentials are looked up at most every two seconds, which a busy machine may stretch: what counts is how many calls
# are refused until they are new. A client that kept the old ones for a minute would make hundreds.
MOST_REFUSED = 60


class Metrics(FaultyServer):
    """Takes CloudWatch's metrics; ``by`` has each access key with whether it was the JVM's, once it was accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.by: set[tuple[str, bool]] = set()

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """PutMetricData."""
        del body
        self.by.add((exchange.access_key, _is_java(exchange)))
        return Answer(200, b"{}", {"Content-Type": "application/x-amz-json-1.0"})


def _is_java(exchange: Exchange) -> bool:
    return "aws-sdk-java" in exchange.headers.get("User-Agent", "")


def _is_old(exchange: Exchange) -> bool:
    return exchange.access_key in {"OLDKEY", "OLDROLE"}


def _write(file: Path, key: str, *, profile: str = "default") -> None:
    file.write_text(f"[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = secret-of-{key}\n")


def _refuse_metrics(exchange: Exchange, _: Fault) -> None:
    """CloudWatch's ExpiredToken, in the protocol of the request."""
    if "cbor" in exchange.headers.get("Content-Type", ""):
        members = [b"__type", b"ExpiredToken", b"message", b"expired"]
        body = b"\xa2" + b"".join(bytes([0x60 + len(member)]) + member for member in members)
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return exchange.reply(Answer(403, body, headers))
    if "json" in exchange.headers.get("Content-Type", ""):
        return exchange.reply(Answer(403, b'{"__type":"ExpiredToken"}', {"Content-Type": "application/x-amz-json-1.0"}))
    error = b"<Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>expired</Message></Error>"
    body = b"<ErrorResponse>" + error + b"<RequestId>1</RequestId></ErrorResponse>"
    return exchange.reply(Answer(403, body, {"Content-Type": "text/xml"}))


def test_a_rewritten_file_is_followed_by_every_client(
    pair: Pair, replicator: Callable[..., Replicator], tmp_path: Path
) -> None:
    """Stream, leases, both halves' metrics, heartbeat, fenced mode's reads and the writes go on with the new key."""
    file = tmp_path / "credentials"
    _write(file, "OLDKEY")
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as source,
        FaultProxy(pair.settings["sourceEndpoint"]) as leases,
        FaultProxy(pair.settings["destinationEndpoint"]) as destination,
        Metrics() as metrics,
    ):
        servers = (source, leases, destination, metrics)
        settings = pair.settings | {
            "sourceEndpoint": source.endpoint,
            "kclEndpoint": leases.endpoint,
            "destinationEndpoint": destination.endpoint,
            "writeMode": "fenced",
            "heartbeatSeconds": "1",
            "dontPublishCloudwatch": "false",
            "metricsBufferTimeMillis": "1000",
        }
        running = replicator(settings)
        running.start(
            environment={
                "AWS_ACCESS_KEY_ID": "",
                "AWS_SECRET_ACCESS_KEY": "",
                "AWS_SHARED_CREDENTIALS_FILE": str(file),
                "AWS_ENDPOINT_URL_CLOUDWATCH": metrics.endpoint,
            }
        )
        pair.put("before", v={"N": "1"})
        pair.wait_for("before")
        pair.wait_checkpoint()
        until(lambda: ("OLDKEY", True) in metrics.by, "the JVM's metrics")
        for server in servers:
            server.access_keys.clear()
        refused = faults.error("ExpiredTokenException")
        refusals = [server.inject(refused, when=_is_old) for server in servers[:3]]
        refusals.append(metrics.inject(_refuse_metrics, when=_is_old))
        for refusal in (*refusals[:2], refusals[3]):
            refusal.wait()
        _write(file, "NEWKEY")
        before = [refusal.met for refusal in refusals]
        pair.put("plain", v={"N": "1"})
        pair.wait_for("plain")
        pair.destination.delete_item(TableName=pair.destination_table, Key={"id": {"S": "before"}})
        pair.put("before", v={"N": "2"})  # a change of an item that the destination lacks: the source is read
        pair.wait_for("before")
        wanted = {
            source: ("GetRecords", "PutItem", "GetItem"),
            leases: ("UpdateItem",),
            destination: ("PutItem",),
        }
        for server, operations in wanted.items():
            for operation in operations:
                until(lambda s=server, o=operation: "NEWKEY" in s.access_keys.get(o, ()), f"{operation} by the new key")
        until(lambda: ("NEWKEY", True) in metrics.by, "the JVM's metrics")
        until(lambda: ("NEWKEY", False) in metrics.by, "the exporter's metrics")
        again = [refusal.met - met for refusal, met in zip(refusals, before, strict=True)]
        assert max(again) < MOST_REFUSED, again
        assert running.stop() == 0
    assert "ERROR" not in running.console


def test_a_profile_and_what_it_assumes_are_followed(
    pair: Pair, replicator: Callable[..., Replicator], tmp_path: Path
) -> None:
    """The file of sourceProfile is rewritten, and the role's session is revoked: both halves assume it anew."""
    file = tmp_path / "credentials"
    _write(file, "OLDKEY", profile="reader")
    roles = {READER: "OLDROLE"}
    with FaultProxy(pair.settings["sourceEndpoint"]) as source, FakeSts(roles) as sts:
        settings = pair.settings | {
            "sourceEndpoint": source.endpoint,
            "kclEndpoint": pair.settings["sourceEndpoint"],
            "sourceProfile": "reader",
            "sourceRoleArn": READER,
            "heartbeatSeconds": "1",
        }
        running = replicator(settings)
        running.start(environment=sts.environment | {"AWS_SHARED_CREDENTIALS_FILE": str(file)})
        pair.put("before")
        pair.wait_for("before")
        sts.stale.add("OLDKEY")
        roles[READER] = "NEWROLE"
        refusal = source.inject(faults.error("UnrecognizedClientException"), when=_is_old)
        refusal.wait()
        until(lambda: {True, False} <= set(sts.turned_away), "both halves are turned away by STS")
        _write(file, "NEWKEY", profile="reader")
        before = refusal.met
        pair.put("after")
        pair.wait_for("after")
        until(lambda: "NEWROLE" in source.access_keys.get("PutItem", ()), "a heartbeat")
        assert refusal.met - before < MOST_REFUSED
        assert running.stop() == 0
    assert running.events("stream_unreadable")
