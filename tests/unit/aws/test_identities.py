"""As whom each call is made, and where its role is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.httpsession import URLLib3Session

from processor.aws import endpoints
from processor.aws.clients import Clients
from processor.aws.errors import aws_errors
from processor.aws.sessions import session, sts_region
from processor.aws.timeouts import WriteTimeouts
from processor.errors import CredentialsError, RoleError, UnavailableError, UsageError
from processor.replication import tables
from processor.settings.identity import OWN, Identity
from processor.settings.settings import Settings
from processor.startup import preflight
from tests.fakes.aws.accounts import KEEPER, PROFILES, READER, WRITER
from tests.fakes.aws.fake_sts import FakeSts
from tests.fakes.dynamodb.changes import put
from tests.fakes.network.http_server import HttpServer
from tests.fakes.patience import until
from tests.fakes.task.tasks import task

ROLES = {READER: "READER", WRITER: "WRITER", KEEPER: "KEEPER"}


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSts]:
    """Three accounts' roles; the writer's wants an external id."""
    with FakeSts(ROLES, external_ids={WRITER: "orders/1"}) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two profiles of a laptop."""
    (tmp_path / "credentials").write_text(PROFILES)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def _key(client: Any) -> str:
    found: str = client._get_credentials().get_frozen_credentials().access_key
    return found


SOURCE = {"sourceRoleArn": READER}
DESTINATION = {"destinationRoleArn": WRITER, "destinationRoleExternalId": "orders/1"}
LEASES = {"kclRoleArn": KEEPER}
# Who reads the source and its stream, who works on the destination, who keeps checkpoints and dead letters.
SCENARIOS: dict[str, tuple[dict[str, str], tuple[str, str, str]]] = {
    "same account": ({}, ("test", "test", "test")),
    "source elsewhere": (SOURCE, ("READER", "test", "test")),
    "destination elsewhere": (DESTINATION, ("test", "WRITER", "test")),
    "both elsewhere": (SOURCE | DESTINATION, ("READER", "WRITER", "test")),
    "leases elsewhere": (LEASES, ("test", "test", "KEEPER")),
    "all elsewhere": (SOURCE | DESTINATION | LEASES, ("READER", "WRITER", "KEEPER")),
    "profiles": (
        {"sourceProfile": "laptop-source", "destinationProfile": "laptop-destination"},
        ("LAPTOPSOURCE", "LAPTOPDESTINATION", "test"),
    ),
    "a profile's role": (SOURCE | {"sourceProfile": "laptop-source"}, ("READER", "test", "test")),
}


@pytest.mark.usefixtures("profiles", "sts")
@pytest.mark.parametrize(("given", "keys"), SCENARIOS.values(), ids=SCENARIOS)
def test_each_call_is_made_as_its_side(given: dict[str, str], keys: tuple[str, str, str]) -> None:
    """Source and stream, destination (its writes too), and the task's own tables each have an identity."""
    reader, writer, keeper = keys
    with HttpServer() as server:
        settings = task(destinationEndpoint=server.endpoint, **given)
        clients = Clients(settings)
        found = [clients.source(), clients.streams(), clients.destination(), clients.checkpoints()]
        assert [reader, reader, writer, keeper] == [_key(client) for client in found]
        tables.open_table(settings, clients, timeouts=WriteTimeouts(connect=3, read=10), view=None).write_one(put("a"))
        assert f"Credential={writer}/" in server.requests[0].headers["Authorization"]


@pytest.mark.usefixtures("sts")
def test_letters_and_metrics_are_the_tasks_and_an_exports_bucket_is_the_sources() -> None:
    """The task keeps dead letters and publishes metrics; a bucket to export to is looked at as who exports."""
    clients = Clients(task(kclRegion="eu-west-3", **SOURCE, **DESTINATION, **LEASES))
    letters, export = clients.s3(), clients.export_s3()
    assert (_key(letters), letters.meta.region_name) == ("KEEPER", "eu-west-3")
    assert _key(clients.cloudwatch()) == "KEEPER"
    assert (_key(export), export.meta.region_name) == ("READER", "eu-west-1")


@pytest.mark.usefixtures("profiles")
def test_a_role_is_asked_for_as_its_settings_say(sts: FakeSts) -> None:
    """Its session's name and external id reach STS, signed by the profile, in the side's region."""
    named = {"destinationRoleSessionName": "orders", "destinationProfile": "laptop-destination"}
    clients = Clients(task(**SOURCE, **DESTINATION, **named))
    _key(clients.source())
    _key(clients.destination())
    assert [(each.by, each.session_name, each.external_id, each.region) for each in sts.asked] == [
        ("test", "dynamodb-replicator", None, "eu-west-1"),
        ("LAPTOPDESTINATION", "orders", "orders/1", "us-east-1"),
    ]


def test_a_role_is_renewed_before_it_expires(sts: FakeSts) -> None:
    """Writes go on with ever new credentials; while STS is away the last ones serve, as long as they hold."""
    sts.expires_in = lambda _: 899.0  # a second less, and botocore asks for others at once
    with HttpServer() as server:
        settings = task(destinationEndpoint=server.endpoint, **DESTINATION)
        table = tables.open_table(settings, Clients(settings), timeouts=WriteTimeouts(connect=3, read=10), view=None)

        def tokens() -> list[str]:
            table.write_one(put("a"))
            return [request.headers["X-Amz-Security-Token"] for request in server.requests]

        until(lambda: len(set(tokens())) == 3, "a third token")
        sts.away = True
        until(lambda: tokens() and sts.turned_away, "a renewal that fails")  # the write asks for it, so it comes first
        held = tokens()[-1]
        assert [held] * 3 == [tokens()[-1] for _ in range(3)]
    until(lambda: len(sts.turned_away) == 2, "the renewal's end")  # one look, of botocore's two tries


def test_a_credentials_file_that_changes_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sts: FakeSts, profiles: None
) -> None:
    """Whoever assumes the role may get other credentials meanwhile: each renewal looks for them."""
    del monkeypatch, profiles
    sts.expires_in = lambda _: 899.0
    made = session(Identity(profile="laptop-source", role_arn=READER), region="eu-west-1")
    credentials = made.get_credentials()
    assert credentials is not None
    credentials.get_frozen_credentials()
    (tmp_path / "credentials").write_text(PROFILES.replace("LAPTOPSOURCE", "ROTATED"))
    until(lambda: credentials.get_frozen_credentials() and "ROTATED" in {each.by for each in sts.asked}, "a renewal")
    assert {"LAPTOPSOURCE", "ROTATED"} == {each.by for each in sts.asked}


# --- What goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("sts")
def test_a_refused_role_is_said_with_its_side_and_aws_words() -> None:
    """``check`` names table, identity, role and what AWS answered, of each side."""
    refused = {
        "sourceRoleArn": "arn:aws:iam::111111111111:role/unknown",
        "destinationRoleArn": WRITER,  # without its external id
        "kclRoleArn": "arn:aws:iam::333333333333:role/unknown",
    }
    with HttpServer() as server:
        where = dict.fromkeys(("sourceEndpoint", "destinationEndpoint"), server.endpoint)
        settings = task(**refused, **where)
        found = [
            f"{each.object} {each.value} {each.remedy}" for each in preflight.run(settings, Clients(settings)).errors
        ]
        assert not server.requests
    for side, setting, what in (
        ("source", "source", "source table orders in"),
        ("destination", "destination", "destination table orders-copy in"),
        ("task", "kcl", "checkpoint table DynamoDB"),
    ):
        (text,) = [text for text in found if text.startswith(what)]
        role = refused[f"{setting}RoleArn"]
        assert f"role {role} can't be assumed for the {side} (AssumeRole on {role} in " in text
        assert f"AccessDenied: User: test is not authorized to perform: sts:AssumeRole on resource: {role})" in text
        assert f"{setting}RoleExternalId" in text


def test_an_sts_that_does_not_answer_is_no_refusal(sts: FakeSts) -> None:
    """A role that STS can't give now may be given later: the batch is kept, and the call tried again."""
    sts.away = True
    with pytest.raises(UnavailableError, match=f"AssumeRole on {READER} in eu-west-1: ServiceUnavailable") as caught:
        _describe(task(**SOURCE))
    assert not isinstance(caught.value, CredentialsError)
    sts.away, sts.roles = False, {}
    with pytest.raises(RoleError, match="sts:AssumeRole"):
        _describe(task(**SOURCE))


def _describe(settings: Settings) -> None:
    with aws_errors("DescribeTable"):
        Clients(settings).source().describe_table(TableName=settings.source_table)


def test_a_profile_that_is_not_there_is_said() -> None:
    """The profile is named."""
    with pytest.raises(CredentialsError, match=r"profile \(laptop\)"):
        Clients(task(sourceProfile="laptop")).source()


@pytest.mark.parametrize("side", ["source", "destination", "kcl"])
@pytest.mark.parametrize("name", ["RoleExternalId", "RoleSessionName"])
def test_what_belongs_to_a_role_needs_one(side: str, name: str) -> None:
    """An external id, or a session's name, without a role is an error: the role was forgotten."""
    with pytest.raises(UsageError, match=f"{side}{name} is set, but no {side}RoleArn"):
        task(**{side + name: "orders"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("destinationRoleArn", "arn:aws:iam::123456789012:user/me"),
        ("kclRoleArn", "reader"),
        ("sourceRoleExternalId", "x"),
        ("sourceRoleExternalId", "two words"),
        ("kclRoleSessionName", "a/b"),
        ("destinationRoleSessionName", "x" * 65),
        ("sourceProfile", "[default]"),
    ],
)
def test_what_iam_would_not_take_is_refused(name: str, value: str) -> None:
    """A value that IAM has not for such a name ends the start, with its setting's name."""
    with pytest.raises(UsageError, match=name):
        task(**SOURCE, **{name: value})


# --- Partitions ------------------------------------------------------------------------------------------------------


PARTITIONS = {
    "arn:aws:iam::123456789012:role/a": ("eu-west-1", "https://sts.eu-west-1.amazonaws.com/"),
    "arn:aws-cn:iam::123456789012:role/a": ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/"),
    "arn:aws-us-gov:iam::123456789012:role/path/a": ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com/"),
}


@pytest.mark.parametrize(("arn", "place"), PARTITIONS.items(), ids=["aws", "aws-cn", "aws-us-gov"])
def test_a_role_is_asked_for_in_its_partition(
    arn: str, place: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """STS is the one of the side's region, whatever partition that is of."""
    asked: list[str] = []

    def send(_: URLLib3Session, request: Any) -> None:
        asked.append(request.url)
        raise OSError

    monkeypatch.setattr(URLLib3Session, "send", send)
    region, endpoint = place
    with pytest.raises(UnavailableError):
        _describe(task(sourceRoleArn=arn, sourceRegion=region))
    assert [endpoint] == asked


CHINA = "arn:aws-cn:iam::123456789012:role/a"


def test_an_emulators_region_has_no_sts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A role of an emulator's region is asked for in the SDK's usual region, or else where its partition has one."""
    assert sts_region(Identity(role_arn=CHINA), "ddblocal") == "cn-north-1"
    assert sts_region(Identity(role_arn=READER), "ddblocal") == "us-east-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-northwest-1")
    assert sts_region(Identity(role_arn=CHINA), "ddblocal") == "cn-northwest-1"
    assert sts_region(Identity(role_arn=READER), "ddblocal") == "us-east-1"


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_caller_asks_where_it_is_at_home(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the table's region, which its account may not have enabled; but in the role's partition."""
    assert sts_region(Identity(role_arn=READER), "af-south-1") == "af-south-1"
    monkeypatch.setenv(variable, "eu-west-3")
    assert sts_region(Identity(role_arn=READER), "af-south-1") == "eu-west-3"
    assert sts_region(Identity(role_arn=CHINA), "cn-north-1") == "cn-north-1"
    assert sts_region(Identity(role_arn=READER, sts_region="eu-central-1"), "af-south-1") == "eu-central-1"


def test_a_named_profile_has_a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says more of its credentials than the environment does."""
    (tmp_path / "config").write_text("[profile china]\nregion = cn-northwest-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    assert sts_region(Identity(profile="china", role_arn=CHINA), "cn-north-1") == "cn-northwest-1"
    assert sts_region(Identity(profile="missing", role_arn=READER), "eu-west-1") == "eu-west-1"


def test_sts_region_reaches_every_role(sts: FakeSts) -> None:
    """Of all three identities, and the JVM."""
    settings = task(**SOURCE, **DESTINATION, **LEASES, stsRegion="eu-central-1")
    clients = Clients(settings)
    for client in (clients.source(), clients.destination(), clients.checkpoints()):
        _key(client)
    assert {"eu-central-1"} == {each.region for each in sts.asked}
    told = endpoints.told(settings)
    assert {"eu-central-1"} == {told["sourceRoleRegion"], told["kclRoleRegion"]}


@pytest.mark.parametrize("code", ["RegionDisabledException", "InvalidClientTokenId"])
def test_a_region_that_is_not_enabled_is_told_from_a_role_that_is_denied(code: str, sts: FakeSts) -> None:
    """The setting that helps is named, and only there."""
    sts.refusal = code
    with pytest.raises(RoleError, match="name another one in stsRegion"):
        _describe(task(**SOURCE))
    sts.refusal = "AccessDenied"
    with pytest.raises(RoleError) as denied:
        _describe(task(**SOURCE))
    assert "stsRegion" not in str(denied.value)


# --- The JVM's endpoints ---------------------------------------------------------------------------------------------

CONFIG = """
[default]
endpoint_url = http://default.test
[profile reader]
aws_access_key_id = READER
aws_secret_access_key = secret
endpoint_url = http://reader.test
services = mine
[services mine]
dynamodb_streams =
  endpoint_url = http://streams.test
sts =
  endpoint_url = http://sts.test
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A default profile and another one, which have endpoints."""
    (tmp_path / "config").write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


@pytest.mark.usefixtures("config")
def test_the_jvm_is_told_the_endpoints_of_profiles() -> None:
    """Each side's own profile, and its services; settings come before both."""
    settings = task(sourceProfile="reader", sourceRoleArn=READER, kclRoleArn=KEEPER)
    assert endpoints.told(settings) == {
        "sourceStreamsEndpoint": "http://streams.test",
        "dynamoDBEndpoint": "http://default.test",
        "cloudWatchEndpoint": "http://default.test",
        "sourceRoleEndpoint": "http://sts.test",
        "sourceRoleRegion": "eu-west-1",
        "kclRoleEndpoint": "http://default.test",
        "kclRoleRegion": "eu-west-1",
    }
    told = endpoints.told(task(sourceProfile="reader", sourceEndpoint="http://s:1", kclEndpoint="http://k:1"))
    assert (told["sourceStreamsEndpoint"], told["dynamoDBEndpoint"]) == ("http://s:1", "http://k:1")


@pytest.mark.usefixtures("config")
def test_the_jvm_is_told_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of one service, that of all, and the one that turns all of these off."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all.test")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", "http://streams-only.test")
    told = endpoints.told(task(dontPublishCloudwatch="true"))
    assert told == {
        "sourceStreamsEndpoint": "http://streams-only.test",
        "dynamoDBEndpoint": "http://all.test",
    }
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    told = endpoints.told(task(kclRoleArn=KEEPER, sourceRegion="us-east-1"))
    assert told == {
        "sourceStreamsEndpoint": "https://streams.dynamodb-fips.us-east-1.amazonaws.com",
        "dynamoDBEndpoint": "https://dynamodb-fips.us-east-1.amazonaws.com",
        "cloudWatchEndpoint": "https://monitoring-fips.us-east-1.amazonaws.com",
        "kclRoleEndpoint": "https://sts-fips.us-east-1.amazonaws.com",
        "kclRoleRegion": "us-east-1",
    }


def test_sts_of_all_regions_is_signed_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the older kind of endpoint, which a user may still ask for."""
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    told = endpoints.told(task(sourceRoleArn=READER))
    assert (told["sourceRoleEndpoint"], told["sourceRoleRegion"]) == ("https://sts.amazonaws.com", "us-east-1")


def test_without_settings_nothing_is_assumed() -> None:
    """Two sides of one account are one identity, the SDK's own."""
    found = task()
    assert {OWN} == {found.source_identity, found.destination_identity, found.task_identity}
    assert os.environ["AWS_ACCESS_KEY_ID"] == _key(boto3.client("sts", region_name="eu-west-1"))
