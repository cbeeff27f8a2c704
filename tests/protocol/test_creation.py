"""Destinations made as their sources are, on DynamoDB Local and on an AWS of moto's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from moto import mock_aws

from processor.aws.clients import Clients
from processor.commands.copy import command as copy_command
from processor.commands.copy.options import CopyOptions
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.errors import NotReadyError, StoppedError
from processor.reporting.findings import Finding
from processor.settings.settings import Settings
from processor.startup import destination as creation
from processor.startup import table_checks
from processor.startup.fact_reader import read
from processor.system.signals import one_after_another
from tests.conftest import Tables
from tests.fakes.network.http_server import HttpServer
from tests.fakes.task.tasks import task as settings_of

KEY = [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}]
ATTRIBUTES = [
    {"AttributeName": "id", "AttributeType": "B"},
    {"AttributeName": "at", "AttributeType": "N"},
    {"AttributeName": "day", "AttributeType": "S"},
]
UNITS = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
BY_DAY = {
    "IndexName": "by-day",
    "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]},
}
IN_DAY = {
    "IndexName": "in-day",
    "KeySchema": [KEY[0], {"AttributeName": "day", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "ALL"},
}
# What a table is beyond its key of two.
KINDS: dict[str, dict[str, Any]] = {
    "plain": {"AttributeDefinitions": ATTRIBUTES[:2], "BillingMode": "PAY_PER_REQUEST"},
    "indexes on demand": {
        "AttributeDefinitions": ATTRIBUTES,
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [BY_DAY],
        "LocalSecondaryIndexes": [IN_DAY],
    },
    "provisioned": {
        "AttributeDefinitions": ATTRIBUTES,
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": UNITS,
        "GlobalSecondaryIndexes": [{**BY_DAY, "ProvisionedThroughput": UNITS}],
        "DeletionProtectionEnabled": True,
    },
    "encrypted": {
        "AttributeDefinitions": ATTRIBUTES[:2],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": {"Enabled": True, "SSEType": "KMS"},
    },
}
TAGS = [{"Key": "team", "Value": "orders"}]
# Of DescribeTable's answer: what is a table's own and not its definition.
OWN = {"TableName", "TableArn", "TableId", "CreationDateTime"}
STREAM = {"StreamSpecification", "LatestStreamArn", "LatestStreamLabel"}


def _definition(client: Any, table: str) -> dict[str, Any]:
    found = client.describe_table(TableName=table)["Table"]
    for index in [*found.get("GlobalSecondaryIndexes", []), *found.get("LocalSecondaryIndexes", [])]:
        index.pop("IndexArn", None)
    found.get("BillingModeSummary", {}).pop("LastUpdateToPayPerRequestDateTime", None)
    if "SSEDescription" in found:
        del found["SSEDescription"]["KMSMasterKeyArn"]
    return {name: value for name, value in found.items() if name not in OWN | STREAM}


def _ttl(client: Any, table: str) -> dict[str, Any]:
    found: dict[str, Any] = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    return found


def _turn_on_ttl(client: Any, table: str, attribute: str = "expires") -> None:
    client.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute})


class Pair:
    """Settings of a source that is there and a destination that is not; what ``ensure`` said."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clients = Clients(settings)
        self.source: Any = self.clients.source()
        self.destination: Any = self.clients.destination()
        self.said: list[str] = []

    def ensure(self, **more: Any) -> list[tuple[str, str]]:
        """Severity and text of each finding."""
        self.said.clear()
        found: list[Finding] = creation.ensure(
            self.settings, self.clients, self.said.append, **({"every_seconds": 0.01} | more)
        )
        return [(finding.severity, finding.text) for finding in found]

    def differences(self) -> list[str]:
        """What the preflight finds in both tables."""
        facts = read(self.settings, self.clients, unreachable=("_java", "checkpoints"))[0]
        return [finding.text for finding in table_checks.as_the_source(self.settings, facts)]


Make = Callable[..., Pair]


@pytest.fixture(params=["local", "aws"])
def where(request: pytest.FixtureRequest) -> str:
    """Whose DynamoDB it is."""
    name: str = request.param
    return name


@pytest.fixture
def make(where: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Pairs, given what their source is and what their settings say."""

    def made(kind: dict[str, Any], **changed: str) -> Pair:
        pair = Pair(settings_of(**({"createDestination": "true"} | places() | changed)))
        pair.source.create_table(TableName=pair.settings.source_table, KeySchema=KEY, **kind)
        return pair

    def places() -> dict[str, str]:
        if where == "aws":
            return {}
        server: DynamoDBLocal = request.getfixturevalue("dynamodb")
        names: Tables = request.getfixturevalue("tables")
        return {
            **dict.fromkeys(("sourceEndpoint", "destinationEndpoint"), server.endpoint),
            "sourceTable": names.name(),
            "destinationTable": names.name(),
        }

    if where == "aws":
        monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")  # moto knows the streams' old host name only
        with mock_aws():
            yield made
    else:
        yield made


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_it_is_made_as_the_source_is(make: Make, kind: dict[str, Any]) -> None:
    """The new table is what the source is, TTL too; the preflight finds no difference; a second run does nothing."""
    pair = make(kind)
    source, destination = pair.settings.source_table, pair.settings.destination_table
    _turn_on_ttl(pair.source, source)
    found = pair.ensure()
    assert _definition(pair.source, source) == _definition(pair.destination, destination)
    assert _ttl(pair.source, source) == _ttl(pair.destination, destination)
    assert "StreamSpecification" not in pair.destination.describe_table(TableName=destination)["Table"]
    assert {"warning"} >= {severity for severity, _ in found}
    assert f"Destination table {destination} is active" in pair.said
    assert pair.differences() == []
    assert pair.ensure() == []
    assert pair.said == []


@pytest.mark.parametrize("where", ["aws"], indirect=True)
def test_tags_and_key_are_the_new_tables(make: Make) -> None:
    """Tags are given on; a KMS key can't be, which is said."""
    pair = make(KINDS["encrypted"], destinationTable="orders-2")
    arn = pair.source.describe_table(TableName="orders")["Table"]["TableArn"]
    pair.source.tag_resource(ResourceArn=arn, Tags=TAGS)
    ((severity, text),) = pair.ensure()
    assert (severity, "alias/aws/dynamodb" in text) == ("warning", True)
    made = pair.destination.describe_table(TableName="orders-2")["Table"]["TableArn"]
    assert pair.destination.list_tags_of_resource(ResourceArn=made)["Tags"] == TAGS


@pytest.mark.parametrize("where", ["local"], indirect=True)
def test_a_store_without_tags_is_said(make: Make) -> None:
    """Where tags can't be read, that is a warning, and the table is made."""
    ((severity, text),) = make(KINDS["plain"]).ensure()
    assert severity == "warning"
    assert "tags of table" in text
    assert "ListTagsOfResource" in text


def test_an_empty_table_gets_its_ttl(make: Make) -> None:
    """A run that was killed before it came to TTL is made up for by the next one."""
    pair = make(KINDS["plain"])
    pair.ensure()
    _turn_on_ttl(pair.source, pair.settings.source_table)
    assert pair.ensure() == []
    assert _ttl(pair.destination, pair.settings.destination_table)["AttributeName"] == "expires"
    assert len(pair.said) == 1


def test_a_table_in_use_is_left_as_it_is(make: Make) -> None:
    """Nothing of a table that holds items is changed; how it differs is the preflight's to say."""
    pair = make(KINDS["indexes on demand"])
    _turn_on_ttl(pair.source, pair.settings.source_table)
    table = pair.settings.destination_table
    pair.destination.create_table(TableName=table, KeySchema=KEY, **KINDS["plain"])
    pair.destination.put_item(TableName=table, Item={"id": {"B": b"1"}, "at": {"N": "1"}})
    before = _definition(pair.destination, table)
    assert pair.ensure() == []
    assert before == _definition(pair.destination, table)
    assert _ttl(pair.destination, table)["TimeToLiveStatus"] == "DISABLED"
    found = "\n".join(pair.differences())
    for words in ("global index by-day", "local index in-day", "has no TTL"):
        assert words in found


def test_nothing_is_done_unasked(make: Make) -> None:
    """Without createDestination and enableStream nothing is made or turned on."""
    pair = make(KINDS["plain"], createDestination="false")
    assert pair.ensure() == []
    assert creation.describe(pair.destination, pair.settings.destination_table, "there") is None
    assert "LatestStreamArn" not in pair.source.describe_table(TableName=pair.settings.source_table)["Table"]


def test_streams_are_turned_on(make: Make) -> None:
    """EnableStream turns the source's stream on, destinationStream gives the new table one; once each."""
    pair = make(KINDS["plain"], enableStream="true", destinationStream="true")
    pair.ensure()
    names = (pair.source, pair.settings.source_table), (pair.destination, pair.settings.destination_table)
    arns = []
    for client, name in names:
        table = client.describe_table(TableName=name)["Table"]
        assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        arns.append(table["LatestStreamArn"])
    assert f"Stream {arns[0]} is on" in pair.said
    assert pair.ensure() == []
    assert arns == [client.describe_table(TableName=name)["Table"]["LatestStreamArn"] for client, name in names]


@pytest.mark.parametrize("where", ["aws"], indirect=True)
def test_a_stream_that_is_on_is_left_as_it_is(make: Make) -> None:
    """A stream of another kind has readers of its own; the preflight says what is wrong with it."""
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    pair = make(KINDS["plain"] | {"StreamSpecification": stream}, enableStream="true")
    pair.ensure()
    assert pair.source.describe_table(TableName="orders")["Table"]["StreamSpecification"] == stream


@pytest.mark.parametrize("where", ["aws"], indirect=True)
def test_a_missing_source_is_said(make: Make) -> None:
    """Without a source nothing is made."""
    pair = make(KINDS["plain"])
    pair.source.delete_table(TableName="orders")
    ((severity, text),) = pair.ensure()
    assert (severity, "source table orders in eu-west-1: does not exist" in text) == ("error", True)
    assert creation.describe(pair.destination, "orders-copy", "there") is None
    _refused_once(pair, "source-missing")


def _refused_once(pair: Pair, found: str) -> None:
    """Whoever copies is told of what can't be made, and not of what follows from it."""
    with one_after_another(), pytest.raises(NotReadyError) as refused:
        copy_command.run(pair.settings, CopyOptions())
    errors = [each.id for each in refused.value.findings if each.severity == "error"]
    assert [each for each in errors if each != "stream-off"] == [found]


# --- Answers that no emulator gives ----------------------------------------------------------------------------------

TABLE = {
    "TableName": "orders",
    "TableStatus": "ACTIVE",
    "TableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
    "KeySchema": KEY[:1],
    "AttributeDefinitions": ATTRIBUTES[:1],
    "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
}
ENABLING_STREAM = f"{TABLE['TableArn']}/stream/2026-01-01T00:00:00.000"
NO_TABLE = (400, {"__type": "x#ResourceNotFoundException", "message": "no such table"})
NO_TTL = (200, {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}})


def _denied(call: str) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": "x#AccessDeniedException", "message": f"User me is not authorized to perform: {call}"}


def _described(**more: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"Table": TABLE | more}


@pytest.fixture
def played() -> Iterator[tuple[HttpServer, Pair]]:
    """A server that answers as it is told, for both tables."""
    with HttpServer() as server:
        where = dict.fromkeys(("sourceEndpoint", "destinationEndpoint"), server.endpoint)
        yield server, Pair(settings_of(**where, createDestination="true"))


Played = tuple[HttpServer, Pair]
DENIED_TAGS = _denied("dynamodb:TagResource")


def _play(played: Played, *answers: tuple[int, dict[str, Any]], **more: Any) -> tuple[list[str], list[tuple[str, str]]]:
    """The operations that were asked for, and the findings."""
    server, pair = played
    server.answers.extend(answers)
    found = pair.ensure(**more)
    assert not server.answers
    return [request.operation for request in server.requests], found


def test_it_waits_for_table_and_indexes(played: Played) -> None:
    """A table is there when it and its indexes are active; what goes wrong between two looks is no failure."""
    making = {"IndexName": "by-day", "IndexStatus": "CREATING"}
    asked, found = _play(
        played,
        *(_described(), NO_TABLE, (200, {"Tags": []}), (200, {})),
        *(NO_TABLE, _denied("dynamodb:DescribeTable"), _described(TableStatus="CREATING")),
        *(_described(GlobalSecondaryIndexes=[making]), _described(), NO_TTL),
    )
    assert found == []
    assert asked[:4] == ["DescribeTable"] * 2 + ["ListTagsOfResource", "CreateTable"]
    assert asked[4:] == ["DescribeTable"] * 5 + ["DescribeTimeToLive"]


def test_a_table_that_is_being_made_is_waited_for(played: Played) -> None:
    """A run after one that was killed finds the table half made, and makes no second one."""
    creating = _described(TableStatus="CREATING")
    asked, found = _play(played, _described(), creating, creating, _described(), NO_TTL)
    assert found == []
    assert "CreateTable" not in asked


def test_a_stream_that_only_begins_is_waited_for(played: Played) -> None:
    """A table calls its stream on from the moment of UpdateTable, whoever asked for it; the stream is ENABLED later."""
    server, pair = played
    asked = {"create_destination": False, "enable_stream": True, "source_streams_endpoint": server.endpoint}
    table = _described(
        StreamSpecification={"StreamEnabled": True}, LatestStreamArn=ENABLING_STREAM, TableStatus="UPDATING"
    )
    begins, is_on = ((200, {"StreamDescription": {"StreamStatus": status}}) for status in ("ENABLING", "ENABLED"))
    pair = Pair(msgspec.structs.replace(pair.settings, **asked))
    operations, found = _play((server, pair), table, begins, table, begins, table, is_on)
    assert (operations, found) == (["DescribeTable", "DescribeStream"] * 3, [])
    assert pair.said == [f"Stream {ENABLING_STREAM} is on"]


def test_two_runs_at_once_make_one_table(played: Played) -> None:
    """Who comes second waits for the first one's table."""
    in_use = (400, {"__type": "x#ResourceInUseException", "message": "Table already exists"})
    _, found = _play(played, _described(), NO_TABLE, (200, {"Tags": []}), in_use, _described(), NO_TTL)
    assert found == []


def test_without_a_permission_for_tags_there_are_none(played: Played) -> None:
    """Where the new table may not be tagged it is made without, and that is a warning."""
    server, _ = played
    _, found = _play(
        played, _described(), NO_TABLE, (200, {"Tags": TAGS}), DENIED_TAGS, (200, {}), _described(), NO_TTL
    )
    ((severity, text),) = found
    assert (severity, "dynamodb:TagResource" in text) == ("warning", True)
    bodies = [json.loads(request.body) for request in server.requests if request.operation == "CreateTable"]
    assert [body.get("Tags") for body in bodies] == [TAGS, None]


def test_a_table_that_may_not_be_made_is_an_error(played: Played) -> None:
    """Where no table may be made, AWS's words are passed on, and nothing is waited for."""
    denied = _denied("dynamodb:CreateTable")
    _, found = _play(played, _described(), NO_TABLE, (200, {"Tags": TAGS}), denied, denied)
    ((severity, text),) = found
    assert (severity, "User me is not authorized to perform: dynamodb:CreateTable" in text) == ("error", True)


def test_a_ttl_that_may_not_be_read_is_a_warning(played: Played) -> None:
    """The table is made all the same."""
    denied = _denied("dynamodb:DescribeTimeToLive")
    _, found = _play(played, _described(), NO_TABLE, (200, {"Tags": []}), (200, {}), _described(), denied)
    assert [severity for severity, _ in found] == ["warning"]


def test_a_stop_ends_the_wait(played: Played) -> None:
    """A signal need not wait for AWS."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        _play(
            played,
            _described(),
            NO_TABLE,
            (200, {"Tags": []}),
            (200, {}),
            _described(TableStatus="CREATING"),
            stop=stop,
        )
