"""What this process writes, locks and becomes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import javaproperties
import msgspec
import pytest

from processor.settings.settings import MAX_TABLE_NAME, Settings
from processor.startup import daemon, java
from processor.startup.daemon import properties
from processor.startup.slot import Slot
from processor.state.leases import Lease
from processor.state.task_row import of
from tests.fakes.task.tasks import REQUIRED, task
from tests.fakes.task.two_way import two_way

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2024-01-01T00:00:00.000"


def _properties(settings: Settings, leases: tuple[Lease, ...] = (), first_start_ms: str = "") -> dict[str, str]:
    row = msgspec.structs.replace(of(settings, STREAM), first_start_ms=first_start_ms)
    return properties(settings, task=row, worker_id="me", leases=list(leases), read_at_ms=5)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ({}, "0"),
        ({"initialPositionInStream": "TRIM_HORIZON"}, "0"),
        ({"initialPositionInStream": "latest"}, "77"),
        ({"initialPositionInStreamExtended": "5"}, "5000"),
    ],
)
def test_every_shard_is_read_from_its_oldest_record(given: dict[str, str], moment: str) -> None:
    """KCL's own LATEST would jump over changes, and its AT_TIMESTAMP is unknown to DynamoDB's streams."""
    made = _properties(task(**given), first_start_ms="77")
    assert (made["initialPositionInStream"], made["firstStartMillis"]) == ("TRIM_HORIZON", moment)
    assert "initialPositionInStreamExtended" not in made


def test_settings_reach_kcl_under_kcls_names() -> None:
    """Each of our settings that KCL knows stands in its properties, as text and never as nothing."""
    made = _properties(task(batchSize="10", kclRegion="eu-west-3", kclEndpoint="http://k:1", taskName="t"))
    expected = {
        "applicationName": "DynamoDBCrossRegionReplicationt",
        "maxRecords": "10",
        "regionName": "eu-west-3",
        "dynamoDBEndpoint": "http://k:1",
        "sourceStreamArn": STREAM,
        "sourceRegion": "eu-west-1",
        "workerId": "me",
        "shutdownGraceMillis": "30000",
        "initialPositionInStream": "TRIM_HORIZON",
        "dontPublishCloudwatch": "false",
    }
    assert expected == {name: made[name] for name in expected}
    assert {str} == {type(value) for value in made.values()}
    assert "None" not in made.values()
    assert " " not in made["executableName"].split(" -I -m processor.replication.child")[0]


def test_the_identities_reach_the_jvm() -> None:
    """Source and task are told with all that their roles want, and where STS is asked; what is not set is left out."""
    reader, keeper = "arn:aws:iam::123456789012:role/reader", "arn:aws-cn:iam::123456789012:role/keeper"
    made = _properties(
        task(
            sourceProfile="laptop",
            sourceRoleArn=reader,
            sourceRoleExternalId="orders/1",
            kclRoleArn=keeper,
            kclRoleSessionName="leases",
            kclRegion="cn-north-1",
            destinationProfile="laptop",
        )
    )
    assert {
        "sourceProfile": "laptop",
        "sourceRoleArn": reader,
        "sourceRoleExternalId": "orders/1",
        "sourceRoleSessionName": "dynamodb-replicator",
        "sourceRoleRegion": "eu-west-1",
        "kclRoleArn": keeper,
        "kclRoleSessionName": "leases",
        "kclRoleRegion": "cn-north-1",
    } == {name: value for name, value in made.items() if "Role" in name or "Profile" in name}


@pytest.mark.parametrize("name", ["AwsCredentialsProvider", "awsCredentialsProvider", "AWSCredentialsProvider"])
def test_a_users_property_replaces_ours(name: str) -> None:
    """What the user gives to KCL wins over what we tune, and reaches it once, however its name is written."""
    made = _properties(task(failoverTimeMillis="9000", **{name: "ProfileCredentialsProvider"}))
    assert made["failoverTimeMillis"] == "9000"
    credentials = {key: value for key, value in made.items() if key.lower() == name.lower()}
    assert credentials == {name: "ProfileCredentialsProvider"}


def test_only_this_workers_leases_are_its_own() -> None:
    """The daemon is told the leases of its own worker id, with the counters that would betray another of that name."""
    leases = [
        Lease(shard_id=f"s-{i}", owner=owner, counter=i, checkpoint="5")
        for i, owner in enumerate(["me", None, "you", "me"])
    ]
    made = _properties(task(), tuple(leases))
    assert (made["ownLeaseCounters"], made["ownLeasesReadAtMillis"]) == ("s-0=0,s-3=3", "5")


def test_kcls_tables_fit_beside_the_longest_checkpoint_table() -> None:
    """With a task name of any allowed length KCL's further tables have names that DynamoDB takes."""
    longest = task(taskName="x" * (MAX_TABLE_NAME - len("DynamoDBCrossRegionReplication")))
    made = _properties(longest)
    names = [made["coordinatorStateTableName"], made["workerMetricsTableName"], longest.task_table]
    assert len(set(names)) == 3
    assert {MAX_TABLE_NAME} == {len(name) for name in names}
    assert "workerMetricsTableName" not in _properties(task())


class Became(Exception):  # noqa: N818  # no error
    """What this process would have become."""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], Path]:
    """The command line of a started daemon, and its directory."""

    def exec_instead(_: str, arguments: list[str]) -> None:
        raise Became(arguments)

    monkeypatch.setattr(os, "execv", exec_instead)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    monkeypatch.setenv(daemon.SETTINGS_VARIABLE, "")
    monkeypatch.setenv("CLASSPATH", "")
    settings = task(
        javaOptions='-Xmx1g -Dname="two words"', batchSize="10", onError="deadLetter", deadLetterUri="file:///d"
    )
    (tmp_path / "child.json").touch(0o644)
    slot = Slot(tmp_path, 0, -1)
    file = daemon.write_files(settings, slot, task=of(settings, STREAM), leases=[], read_at_ms=5)
    with pytest.raises(Became) as became:
        daemon.start(settings, slot, file)
    arguments: list[str] = became.value.args[0]
    return arguments, tmp_path


def test_the_daemon_finds_its_files(started: tuple[list[str], Path]) -> None:
    """The JVM gets the properties' file, the user's options as a shell splits them, and the children their settings."""
    arguments, directory = started
    assert arguments[-2] == daemon.MAIN_CLASS
    assert Path(arguments[-1]).samefile(directory / "daemon.properties")
    assert {"-Xmx1g", "-Dname=two words"} <= set(arguments)
    assert java.class_path() == os.environ["CLASSPATH"]
    written = javaproperties.loads((directory / "daemon.properties").read_bytes())
    assert (written["sourceStreamArn"], written["maxRecords"]) == (STREAM, "10")
    assert str(directory / "child.json") == os.environ[daemon.SETTINGS_VARIABLE]
    child: Any = msgspec.json.decode((directory / "child.json").read_bytes(), type=Settings)
    assert (REQUIRED["sourceTable"], 10, "/d") == (child.source_table, child.batch_size, child.dead_letter_path)


def test_the_daemon_reads_the_properties_that_were_written(started: tuple[list[str], Path]) -> None:
    """Whatever lies at their path by the time it does: they say what it runs."""
    arguments, directory = started
    (directory / "daemon.properties").unlink()
    (directory / "daemon.properties").write_text("executableName = /bin/false\n")
    assert javaproperties.loads(Path(arguments[-1]).read_bytes())["sourceStreamArn"] == STREAM


def test_what_is_left_out_is_counted_only_where_something_is(tmp_path: Path, started: tuple[list[str], Path]) -> None:
    """Records are counted always; how many of them are left out is stored only with settings for it."""
    _, directory = started
    written = javaproperties.loads((directory / "daemon.properties").read_bytes())
    assert (written["countsDirectory"], written["countsFiltered"]) == (str(directory / "counts"), "false")
    slot = tmp_path / "filtering"
    slot.mkdir()
    daemon.write_files(task(ttlDeletes="ignore"), Slot(slot, 0, -1), task=of(task(), STREAM), leases=[], read_at_ms=5)
    written = javaproperties.loads((slot / "daemon.properties").read_bytes())
    assert (written["countsDirectory"], written["countsFiltered"]) == (str(slot / "counts"), "true")
    assert oct((slot / "counts").stat().st_mode & 0o777) == "0o700"


@pytest.mark.parametrize(
    ("direction", "endpoint", "has_seconds"),
    [
        ("uplink", None, "true"),
        ("uplink", "https://dynamodb.us-east-1.amazonaws.com", "true"),
        ("uplink", "http://localhost:8000", "false"),
        ("mirror", None, "false"),
    ],
)
def test_whether_a_whole_minute_is_a_second(
    tmp_path: Path, direction: str, endpoint: str | None, has_seconds: str
) -> None:
    """At AWS it is: what the mirror wrote without a marker, before the uplink, would be taken for an application's."""
    settings = two_way(**({"destinationEndpoint": endpoint} if endpoint else {}))
    one = next(each for each in settings.in_directions if each.direction == direction)
    daemon.write_files(one, Slot(tmp_path, 0, -1), task=of(one, STREAM), leases=[], read_at_ms=5)
    written = javaproperties.loads((tmp_path / "daemon.properties").read_bytes())
    assert written["recordTimesHaveSeconds"] == has_seconds


def test_only_the_owner_may_read_them(started: tuple[list[str], Path]) -> None:
    """Both files have mode 0600, also where one lay there before with another; nobody else may tell of lease terms."""
    _, directory = started
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in directory.iterdir()}
    assert modes == {
        "daemon.properties": "0o600",
        "child.json": "0o600",
        "counts": "0o700",
        "holds": "0o700",
        "metrics": "0o700",
        "terms": "0o700",
    }


def test_nothing_secret_is_on_the_command_line(started: tuple[list[str], Path]) -> None:
    """Every user of the machine can read a command line: credentials are not in it, nor in the files."""
    arguments, directory = started
    assert "hush-hush" not in " ".join(arguments)
    assert not [path for path in directory.iterdir() if path.is_file() and "hush-hush" in path.read_text()]


def test_the_childs_command_has_no_space_to_be_split_at(started: tuple[list[str], Path]) -> None:
    """KCL splits the children's command at spaces; from where the daemon runs, the interpreter's path has none."""
    _, directory = started
    written = javaproperties.loads((directory / "daemon.properties").read_bytes())
    interpreter = written["executableName"].split()[0]
    assert Path(interpreter).resolve() == Path(sys.executable).resolve()
    assert "/" not in interpreter.removeprefix("./")
