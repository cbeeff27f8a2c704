"""Everything that is found wrong before a start."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.dynamodbstreams.models import DynamoDBStreamsBackend

from processor.aws.clients import Clients
from processor.aws.s3 import Bucket
from processor.errors import CredentialsError, UnavailableError
from processor.settings.settings import Settings
from processor.startup import fact_reader, java, letters_bucket, preflight
from processor.startup.facts import Facts
from processor.startup.failed_call import Who, finding_of
from processor.startup.preflight import PreflightReport
from processor.state import task_row
from processor.state.copy_rows import CopyState
from processor.state.leases import Lease
from processor.system import program
from tests.fakes.network.http_server import HttpServer
from tests.fakes.task.tasks import task as settings_of
from tests.fakes.task.two_way import two_way

SETTINGS = settings_of()
STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/1"
LEASES = [Lease(shard_id="shard-1", owner=None, counter=1, checkpoint="5")]


def _table(name: str = "orders", *, key: str = "id:S", **more: Any) -> dict[str, Any]:
    attribute, kind = key.split(":")
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": attribute, "AttributeType": kind}],
        "TableStatus": "ACTIVE",
        "TableArn": f"arn:{name}",
        "TableId": name,
    } | more


def _copy(**more: Any) -> dict[str, Any]:
    return _table("orders-copy", **more)


def _stream(view: str = "NEW_AND_OLD_IMAGES") -> dict[str, Any]:
    return {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}, "LatestStreamArn": STREAM}


def _arn(region: str, account: str = "1", *, name: str = "orders") -> str:
    return f"arn:aws:dynamodb:{region}:{account}:table/{name}"


def _regions(*names: str) -> dict[str, Any]:
    return {"Replicas": [{"RegionName": name, "ReplicaStatus": "ACTIVE"} for name in names]}


def _replica(region: str, account: str = "1", **more: Any) -> dict[str, Any]:
    """A table of a global one."""
    return _table(**({"TableArn": _arn(region, account), "TableId": region} | more))


def _facts(**changed: Any) -> Facts:
    """A task that runs already and has nothing wrong with it, but for what is changed."""
    found: dict[str, Any] = {
        "source": _table(**_stream()),
        "destination": _copy(),
        "stream_shards": frozenset({"shard-1", "shard-2"}),
        "leases": LEASES,
        "task": task_row.of(SETTINGS, STREAM),
    }
    return Facts(**(found | changed))


def _found(read: Facts, settings: Settings = SETTINGS) -> list[tuple[str, str]]:
    return [
        (finding.severity, f"{finding.object} {finding.value}")
        for check in preflight._CHECKS
        for finding in check(settings, read)
    ]


BY_DAY = {"IndexName": "by-day", "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}]}
GSI: dict[str, Any] = {"GlobalSecondaryIndexes": [{**BY_DAY, "Projection": {"ProjectionType": "ALL"}}]}
GSI["AttributeDefinitions"] = [
    {"AttributeName": "id", "AttributeType": "S"},
    {"AttributeName": "day", "AttributeType": "N"},
]
WRONG = {
    "source being created": ({"source": _table(TableStatus="CREATING", **_stream())}, "error", "CREATING, not ACTIVE"),
    "destination being deleted": ({"destination": _copy(TableStatus="DELETING")}, "error", "DELETING, not ACTIVE"),
    "no stream": ({"source": _table(), "stream_shards": None}, "error", "is off"),
    "old images": ({"source": _table(**_stream("OLD_IMAGE"))}, "error", "view type OLD_IMAGE"),
    "keys only": ({"source": _table(**_stream("KEYS_ONLY"))}, "error", "view type KEYS_ONLY"),
    "another key": ({"destination": _copy(key="pk:S")}, "error", "is HASH pk (S); the source's is HASH id (S)"),
    "another key type": ({"destination": _copy(key="id:N")}, "error", "is HASH id (N); the source's is HASH id (S)"),
    "the source itself": ({"destination": _table(TableArn="arn:orders", TableId="orders")}, "error", "is the source"),
    "one global table, by the destination": (
        {"source": _replica("us-east-1", **_stream()), "destination": _replica("eu-west-1", **_regions("us-east-1"))},
        "error",
        "is a replica of the global table",
    ),
    "one global table, of two accounts": (
        {
            "source": _replica("us-east-1", **_stream()),
            "destination": _replica("eu-west-1", "2", Replicas=[{"ReplicaArn": _arn("us-east-1")}]),
        },
        "error",
        "is a replica of the global table",
    ),
    "two others read the stream": (
        {"readers_here": {STREAM: frozenset({"task-b", "task-c"})}},
        "warning",
        "by 2 other tasks (checkpoint tables task-b, task-c)",
    ),
    "another stream": ({"task": task_row.of(SETTINGS, "arn:old")}, "error", "the last checkpoints are of arn:old"),
    "no shard left": ({"stream_shards": frozenset({"shard-9"})}, "error", "has none of the 1 shards"),
    "TTL": ({"destination_ttl": "expires"}, "warning", "TTL on expires; the source's is off"),
    "another TTL": ({"destination_ttl": "end", "source_ttl": "expires"}, "warning", "the source's is on expires"),
    "index of another type": ({"destination": _copy(**GSI)}, "warning", "wants day of type N"),
}
RIGHT = {
    "new images alone": {"source": _table(**_stream("NEW_IMAGE"))},
    "the source's TTL": {"destination_ttl": "expires", "source_ttl": "expires"},
    "a replica of another global table as destination": {"destination": _copy(**_regions("us-west-2"))},
    "the same name in another account": {
        "source": _replica("us-east-1", **_stream()),
        "destination": _replica("eu-west-1", "2", **_regions("us-east-1")),
    },
    "another name in a region of the global table": {
        "source": _replica("us-east-1", **_stream()),
        "destination": _copy(TableArn=_arn("eu-west-1", name="orders-copy"), **_regions("us-east-1")),
    },
    "one other reader, and our other daemons": {
        "readers_here": {STREAM: frozenset({"task-b", SETTINGS.checkpoint_table}), "arn:x": frozenset("ab")}
    },
    "no TTL of the source's": {"source_ttl": "expires"},
    "a table being updated": {"destination": _copy(TableStatus="UPDATING")},
    "a first start": {"leases": None, "task": None},
    "a start anew after deleting the checkpoints": {
        "leases": None,
        "task": task_row.of(settings_of(sourceTable="x12"), "a"),
    },
    "checkpoints of the original": {"task": None},
    "an index of the source's": {"source": _table(**GSI, **_stream()), "destination": _copy(**GSI)},
    "nothing could be read": dict.fromkeys(("source", "destination", "stream_shards", "leases", "task")),
}


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    """A task in order has no findings."""
    assert _found(_facts()) == []


@pytest.mark.parametrize(("changed", "severity", "words"), WRONG.values(), ids=WRONG)
def test_each_thing_wrong_is_found(changed: dict[str, Any], severity: str, words: str) -> None:
    """Each thing that can be wrong makes one finding of its severity, which names what was found."""
    ((found_severity, text),) = _found(_facts(**changed))
    assert severity == found_severity
    assert words in text


@pytest.mark.parametrize("changed", RIGHT.values(), ids=RIGHT)
def test_what_is_allowed_is_not_found(changed: dict[str, Any]) -> None:
    """What only looks like something wrong makes no finding."""
    assert _found(_facts(**changed)) == []


def test_one_reader_of_a_global_tables_stream() -> None:
    """It is said of such a source, with its other regions; a second reader on this machine is one too many."""
    source = _replica("us-east-1", **_stream(), **_regions("us-east-1", "eu-west-1", "ap-south-1"))
    alone, beside = (
        _found(_facts(source=source, readers_here={STREAM: frozenset(others)})) for others in ((), ("task-b",))
    )
    replica = f"source table {SETTINGS.source_table} is a replica of a global table (also in ap-south-1, eu-west-1)"
    read = (
        f"stream of source table {SETTINGS.source_table} is read on this machine by 1 other task "
        "(checkpoint table task-b)"
    )
    assert alone == [("warning", replica)]
    assert beside == [("warning", replica), ("warning", read)]


def test_a_source_that_says_its_replicas_is_enough() -> None:
    """While a replica is being added, the destination may not say it yet."""
    source = _replica("us-east-1", **_stream(), **_regions("eu-west-1"))
    found = _found(_facts(source=source, destination=_replica("eu-west-1")))
    assert [severity for severity, _ in found] == ["error", "warning"]


def test_one_place_with_two_roles_may_be_two_accounts() -> None:
    """Same region, endpoint and table are the source itself, unless a role takes the reading to another account."""
    same = {"destinationRegion": "eu-west-1", "destinationTable": "orders"}
    role = {"sourceRoleArn": "arn:aws:iam::123456789012:role/reader"}
    new = _facts(leases=None)
    assert [severity for severity, _ in _found(new, settings_of(**same))] == ["error"]
    assert _found(new, settings_of(**same, **role)) == []


def test_another_replications_checkpoints_are_refused() -> None:
    """A checkpoint table that a task with another source or destination uses is an error that names that task."""
    other = task_row.of(settings_of(destinationTable="elsewhere"), STREAM)
    ((severity, text),) = _found(_facts(task=other))
    assert severity == "error"
    assert "orders in eu-west-1 to elsewhere in us-east-1" in text


def test_the_fence_is_no_key() -> None:
    """writeMode=fenced writes its attribute into every item, so no key or index may be made of it."""
    key = "_replicatedSequenceNumber:S"
    tables = _facts(source=_table(key=key, **_stream()), destination=_copy(key=key))
    assert _found(tables) == []
    ((severity, text),) = _found(tables, settings_of(writeMode="fenced"))
    assert (severity, "has _replicatedSequenceNumber in a key" in text) == ("error", True)


def test_a_destination_to_be_made_as_the_source_is_held_to_it() -> None:
    """With createDestination, a destination that is there already and differs is a warning; without, nobody asks."""
    tables = _facts(destination=_copy(**GSI), source_ttl="expires")
    assert [severity for severity, _ in _found(tables)] == ["warning"]  # the index's type
    found = _found(tables, settings_of(createDestination="true"))
    assert {"warning"} == {severity for severity, _ in found}
    text = "\n".join(text for _, text in found)
    assert "by-day of destination table orders-copy is not at the source" in text
    assert "has no TTL; the source's is on expires" in text


# --- On an AWS of moto's ---------------------------------------------------------------------------------------------


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account without tables."""
    # moto knows the streams by their old host name only
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    with mock_aws():
        yield


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Java and jars, whatever this machine has."""
    monkeypatch.setattr(java, "check_version", lambda: None)
    monkeypatch.setattr(java, "class_path", lambda: "")


def _create(region: str, name: str, **more: Any) -> Any:
    client = boto3.client("dynamodb", region_name=region)
    arguments = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    client.create_table(TableName=name, **(arguments | more))
    return client


def _run(settings: Settings = SETTINGS) -> tuple[PreflightReport, str]:
    report = preflight.run(settings, Clients(settings))
    return report, "\n".join(f"{finding.object} {finding.value}" for finding in report.findings)


@pytest.mark.usefixtures("aws", "installed")
def test_a_ready_task_is_ready() -> None:
    """Two tables, a stream and an installation are all that a first start needs; what was read is in the report."""
    _create("eu-west-1", "orders", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    _create("us-east-1", "orders-copy")
    report, _ = _run()
    assert report.findings == []
    assert report.facts.source is not None
    assert report.facts.stream_shards
    assert (report.facts.leases, report.facts.task) == (None, None)


@pytest.mark.usefixtures("aws", "installed")
def test_a_copy_waits_for_the_stream_to_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that is only ENABLING does for a replication, and is an error for a copy; ENABLED, it is none."""
    _create("eu-west-1", "orders", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    _create("us-east-1", "orders-copy")
    assert preflight.copying(SETTINGS, Clients(SETTINGS)).findings == []
    describe = DynamoDBStreamsBackend.describe_stream

    def enabling(*given: Any) -> dict[str, Any]:
        return dict(describe(*given), StreamStatus="ENABLING")

    monkeypatch.setattr(DynamoDBStreamsBackend, "describe_stream", enabling)
    (found,) = preflight.copying(SETTINGS, Clients(SETTINGS)).findings
    assert (found.severity, found.object, found.value) == ("error", "stream of source table orders", "is ENABLING")
    assert _run()[0].findings == []


NOT_BEGUN = [
    Lease(shard_id="shard-1", owner="a", counter=1, checkpoint="TRIM_HORIZON"),
    Lease(shard_id="shard-2", owner=None, counter=1, checkpoint=None),
]


def _of_copy(*, hours: float = 1.0, **changed: Any) -> CopyState:
    """One that began so long ago, as of now: a test may run long after it was collected."""
    started_ms = int((time.time() - hours * 3600) * 1000)
    given = {"id": "1", "state": "done", "started_ms": started_ms, "stream_arn": STREAM}
    return CopyState(**(given | changed))


@pytest.mark.parametrize(
    ("copy", "leases", "value"),
    [
        ({}, [], None),
        ({"state": "running"}, [], "is not through"),
        ({"state": "running"}, LEASES, "is not through"),
        ({"state": "running", "concurrent": True}, [], None),
        ({"state": "running", "via": "s3://b/p"}, [], "is not through"),
        ({"hours": 400_000.0}, LEASES, None),
        ({"hours": 25.0}, NOT_BEGUN, "began 25.0 hours ago"),
        ({"hours": 25.0}, [*NOT_BEGUN, *LEASES], None),
        ({"hours": 23.6}, [], "began 23.6 hours ago"),
        ({"hours": 23.4}, NOT_BEGUN, None),
        ({"hours": 25.0}, [], "began 25.0 hours ago"),
        ({"hours": 25.0, "concurrent": True}, None, "began 25.0 hours ago"),
        ({"stream_arn": "another"}, [], "the stream was turned off and on again since"),
        ({"stream_arn": "another"}, LEASES, None),
        ({"hours": 25.0, "followed": True}, [], None),
        ({"stream_arn": "another", "followed": True}, None, None),
    ],
)
def test_a_copy_that_replication_must_not_follow(
    copy: dict[str, Any], leases: list[Lease] | None, value: str | None
) -> None:
    """One that is under way, or that began before what the stream still has; replication that went on since is safe."""
    facts = _facts(copy=_of_copy(**copy), leases=leases)
    found = [text for _, text in _found(facts) if text.startswith("copy of")]
    assert (value is None) == (found == [])
    assert all(str(value) in text for text in found)


def test_no_copy_by_way_of_s3_is_gone_on_with_beside_a_replication() -> None:
    """It can't be; so that is not advised."""
    texts = {
        via: [finding.text for check in preflight._CHECKS for finding in check(SETTINGS, _facts(copy=copy))]
        for via in ("", "s3://bucket/prefix")
        for copy in [_of_copy(state="running", via=via)]
    }
    assert "copy --concurrent" in "".join(texts[""])
    assert "--concurrent" not in "".join(texts["s3://bucket/prefix"])
    assert "copy --viaS3" in "".join(texts["s3://bucket/prefix"])


@pytest.mark.usefixtures("aws")
def test_everything_wrong_is_said_in_one_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One run reports all there is to put right: tables, key, stream, TTL, checkpoints, Java and jars."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr(java, "JARS", tmp_path)
    _create("eu-west-1", "orders")
    other = {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}
    other["AttributeDefinitions"] = [{"AttributeName": "pk", "AttributeType": "S"}]
    _create("us-east-1", "orders-copy", **other).update_time_to_live(
        TableName="orders-copy", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    leases = {"KeySchema": [{"AttributeName": "leaseKey", "KeyType": "HASH"}]}
    leases["AttributeDefinitions"] = [{"AttributeName": "leaseKey", "AttributeType": "S"}]
    client = _create("eu-west-1", SETTINGS.checkpoint_table, **leases)
    client.put_item(TableName=SETTINGS.checkpoint_table, Item={"leaseKey": {"S": "shard-1"}})
    task_row.write(client, SETTINGS.task_table, task_row.of(settings_of(sourceTable="other"), STREAM), before=None)
    report, text = _run()
    for words in ("Java none", "Jar ", "is off", "is HASH pk", "TTL on expires", "belongs to another replication"):
        assert words in text
    assert len(report.errors) == len(report.findings) - 1


@pytest.mark.usefixtures("aws", "installed")
def test_missing_tables_are_said_by_name() -> None:
    """A missing table is an error that names it, and how copy could make it; a missing checkpoint table is none."""
    report, text = _run()
    assert ["createDestination" in finding.remedy for finding in report.errors] == [False, True]
    assert "source table orders in eu-west-1 does not exist" in text
    assert "destination table orders-copy in us-east-1 does not exist" in text
    assert len(report.errors) == 2


@pytest.mark.usefixtures("aws")
def test_a_wrong_region_hides_nothing_else() -> None:
    """A region that is none is an error of its own, and what can be read all the same is checked in the same run."""
    _, text = _run(settings_of(sourceRegion="eu-wst-1x"))
    assert "sourceRegion 'eu-wst-1x' is no AWS region" in text
    assert "destination table orders-copy in us-east-1 does not exist" in text


def test_every_page_of_the_stream_is_read() -> None:
    """A stream of more shards than one answer holds is read to its end."""
    pages = {None: ("s-1", "s-1"), "s-1": ("s-2", "s-2"), "s-2": ("s-3", None)}

    class Streams:
        def describe_stream(self, *, StreamArn: str, ExclusiveStartShardId: str | None = None) -> Any:  # noqa: ARG002, N803  # boto3's
            shard, last = pages[ExclusiveStartShardId]
            return {
                "StreamDescription": {"Shards": [{"ShardId": shard}]} | ({"LastEvaluatedShardId": last} if last else {})
            }

        def streams(self) -> Streams:
            return self

    read = Facts()
    fact_reader.list_shards(read, Streams(), STREAM)
    assert {"s-1", "s-2", "s-3"} == read.stream_shards


def test_absent_credentials_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials each call that wanted them is named, and where credentials may come from."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    report, text = _run()
    for call in (
        "DescribeTable on table orders in eu-west-1",
        "DescribeTable on table orders-copy in us-east-1",
        "Scan of",
    ):
        assert f"own credentials can't be found, or used ({call}" in text
    assert sum("AWS_ACCESS_KEY_ID" in finding.remedy for finding in report.errors) == 3


@pytest.mark.usefixtures("installed")
def test_refused_credentials_are_said() -> None:
    """Where AWS refuses a call, its own words are passed on: they name who made it."""
    words = {"__type": "x#AccessDeniedException", "message": "User: arn:aws:iam::1:user/me is not authorized"}
    with HttpServer() as server:
        server.answers.extend([(400, words)] * 3)
        where = dict.fromkeys(("sourceEndpoint", "destinationEndpoint"), server.endpoint)
        report, text = _run(settings_of(**where))
    assert len(report.errors) == 3
    assert text.count("own credentials (") == text.count("user/me is not authorized") == 3


def test_an_unreachable_endpoint_is_said() -> None:
    """An endpoint at which nobody listens is an error that names it."""
    with HttpServer() as server:
        endpoint = server.endpoint
    _, text = _run(settings_of(sourceEndpoint=endpoint, destinationEndpoint=endpoint))
    assert text.count("can't be reached") == 3
    assert endpoint in text


@pytest.mark.usefixtures("aws", "installed")
def test_a_log_configuration_of_an_earlier_version_is_said(tmp_path: Path) -> None:
    """One that names the daemon's classes as they were called is said; the program's own is fine."""
    own = program.LOG_CONFIGURATION.read_text()
    copied = tmp_path / "logback.xml"
    for new, old in (("log.LogLines", "LogLines"), ('"replicator"', "DynamoDBStreamsMultiLangDaemon")):
        former = f"software.amazon.kinesis.multilang.config.{old}"
        assert new in own
        copied.write_text(own.replace(f"replicator.{new}", former).replace(new, f'"{former}"'))
        report, _ = _run(settings_of(logConfiguration=str(copied)))
        (said,) = [each for each in report.findings if each.object == f"log configuration {copied}"]
        assert former in said.value
    copied.write_text(own)
    report, _ = _run(settings_of(logConfiguration=str(copied)))
    assert not [each for each in report.findings if "log configuration" in each.object]


@pytest.mark.usefixtures("aws", "installed")
def test_files_that_a_running_daemon_would_miss_are_said(tmp_path: Path) -> None:
    """A log configuration that is not there, and dead letters that can't be written, are found before the start."""
    missing = {
        "logConfiguration": str(tmp_path / "none.xml"),
        "onError": "deadLetter",
        "deadLetterUri": "file:///dev/null/x",
    }
    report, _ = _run(settings_of(**missing))
    found = {finding.object for finding in report.findings}
    assert {f"log configuration {tmp_path}/none.xml", "dead letters /dev/null/x"} <= found
    writable = {"onError": "deadLetter", "deadLetterUri": (tmp_path / "new" / "letters.jsonl").as_uri()}
    report, _ = _run(settings_of(**writable))
    assert not [finding for finding in report.findings if "letters" in finding.object]
    directory = {"onError": "deadLetter", "deadLetterUri": tmp_path.as_uri()}
    report, _ = _run(settings_of(**directory))
    assert [f"dead letters {tmp_path}"] == [
        finding.object for finding in report.findings if "letters" in finding.object
    ]


@pytest.mark.usefixtures("aws", "installed")
def test_dead_letters_that_others_can_read_are_said(tmp_path: Path) -> None:
    """A file with wider permissions than its owner's is a warning with the remedy; the owner's alone are none."""
    path = tmp_path / "letters.jsonl"
    path.touch(mode=0o600)
    letters = {"onError": "deadLetter", "deadLetterUri": path.as_uri()}
    for mode, expected in ((0o600, []), (0o640, ["have mode 0640"]), (0o604, ["have mode 0604"])):
        path.chmod(mode)
        report, _ = _run(settings_of(**letters))
        found = [finding for finding in report.findings if finding.object == f"dead letters {path}"]
        assert expected == [finding.value for finding in found]
        assert all((finding.severity, finding.remedy) == ("warning", f"chmod 600 {path}") for finding in found)


BUCKET = settings_of(onError="deadLetter", deadLetterUri="s3://letters/prefix")


@pytest.mark.usefixtures("aws", "installed")
def test_the_dead_letters_bucket_is_looked_at() -> None:
    """A missing bucket is an error; one that is there is none; and without onError=deadLetter nobody asks."""
    report, text = _run(BUCKET)
    assert "dead letters' bucket letters does not exist" in text
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="letters")
    assert "bucket" not in _run(BUCKET)[1]
    assert len(report.errors) == 3
    assert "bucket" not in _run(settings_of(deadLetterUri="s3://other"))[1]


@pytest.mark.usefixtures("aws")
def test_the_conflicts_bucket_is_looked_at() -> None:
    """As that of dead letters, of the uplink, which writes there; its mirror has none."""
    mirror, uplink = two_way(conflictUri="s3://conflicts/here").in_directions
    assert letters_bucket.look(mirror, Clients(mirror)).findings == []
    (finding,) = letters_bucket.look(uplink, Clients(uplink)).findings
    assert (finding.id, finding.object) == ("letters-bucket-missing", "conflicts' bucket conflicts")
    assert "conflictUri" in finding.remedy
    assert preflight.conflicts(uplink, Clients(uplink)).findings == [finding]
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="conflicts")
    assert letters_bucket.look(uplink, Clients(uplink)).findings == []


@pytest.mark.usefixtures("aws", "installed")
def test_an_uplinks_findings_name_the_sides_as_the_file_does() -> None:
    """What it reads is the file's destination: so is its role, its region, and its stream."""
    _, uplink = two_way(destinationRegion="nowhere").in_directions
    report, text = _run(uplink)
    assert ("region-unknown", "destinationRegion") in [(finding.id, finding.object) for finding in report.findings]
    assert "source table orders in eu-west-1 does not exist" in text
    denied = CredentialsError("GetItem: denied", code="AccessDeniedException")
    _, uplink = two_way(destinationRoleArn="arn:aws:iam::123456789012:role/there").in_directions
    assert "destination's role" in finding_of("a", denied, Who.of_source(uplink)).value
    assert "the source's own credentials" in finding_of("a", denied, Who.of_destination(uplink)).value
    unreachable = finding_of("a", UnavailableError("away", code="x"), Who.of_stream(uplink))
    assert "destinationEndpoint, destinationRegion" in unreachable.remedy


@pytest.mark.parametrize(
    ("code", "severity", "words"),
    [("403", "warning", "can't be looked at"), ("InvalidAccessKeyId", "error", "can't be reached")],
)
def test_a_bucket_that_cannot_be_looked_at(
    code: str, severity: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking needs a permission that writing does not, so without it there is only a warning."""

    def look(*_: object) -> None:
        raise CredentialsError(f"ListObjectsV2: {code}", code=code)

    monkeypatch.setattr(Bucket, "look", look)
    (finding,) = letters_bucket.look(BUCKET, Clients(BUCKET)).findings
    assert severity == finding.severity
    assert words in finding.value


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("to_new_table", [True, False])
def test_a_copy_needs_no_java(monkeypatch: pytest.MonkeyPatch, *, to_new_table: bool) -> None:
    """The daemon may run elsewhere: a start looks at Java and its jars, a copy starts none for that."""
    looked: list[str] = []
    monkeypatch.setattr(fact_reader.installation, "findings", lambda *_, **__: looked.append("installation") or [])
    monkeypatch.setattr(fact_reader, "_installation", lambda _: looked.append("java") or [])
    preflight.copying(SETTINGS, Clients(SETTINGS), to_new_table=to_new_table)
    assert looked == []
    preflight.run(SETTINGS, Clients(SETTINGS))
    assert looked == ["installation", "java"]


@pytest.mark.usefixtures("aws")
def test_a_command_on_the_two_tables_asks_for_nothing_else() -> None:
    """Neither stream nor checkpoints nor Java: the tables, their keys, and that they are two."""
    _create("eu-west-1", "orders")
    _create("us-east-1", "orders-copy")
    assert preflight.tables(SETTINGS, Clients(SETTINGS)).findings == []
    text = "\n".join(f"{finding.object} {finding.value}" for finding in _tables_of(destinationTable="none").findings)
    assert "destination table none in us-east-1 does not exist" in text
    same = _tables_of(destinationTable="orders", destinationRegion="eu-west-1")
    assert [finding.value for finding in same.errors] == ["is the source table"]
    wrong = _tables_of(destinationRegion="us-est-1x")
    assert [finding.value for finding in wrong.errors] == ["'us-est-1x' is no AWS region"]


def _tables_of(**changed: str) -> PreflightReport:
    settings = settings_of(**changed)
    return preflight.tables(settings, Clients(settings))
