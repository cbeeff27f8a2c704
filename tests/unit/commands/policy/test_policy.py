"""What ``run.sh policy`` prints, and what it says where AWS can't be asked."""

from __future__ import annotations

import json
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from processor.aws.clients import Clients
from processor.cli import registry
from processor.commands.demo.workload import create_table
from processor.commands.policy import arns, command, documents, lookup, permissions
from processor.commands.policy import options as wanted
from processor.commands.policy.arns import NO_ACCOUNT, ResourceArns
from processor.commands.policy.documents import Policy
from processor.commands.policy.options import PolicyOptions
from processor.commands.policy.principals import Principal
from processor.errors import UsageError
from processor.metrics import heartbeat
from processor.settings.settings import Settings
from tests.fakes.aws import authority
from tests.fakes.task import tasks

READER = "arn:aws:iam::111111111111:role/reader"
WRITER = "arn:aws-cn:iam::222222222222:role/team/writer"
USER = "arn:aws:iam::333333333333:user/replicator"
ARNS = ResourceArns(
    source_table="arn:aws:dynamodb:eu-west-1:1:table/orders",
    destination_table="arn:aws:dynamodb:us-east-1:2:table/orders-copy",
    task_tables="arn:aws:dynamodb:eu-west-1:3:table/",
)


def _made(settings: Settings, *names: str, callers: dict[Principal, str] | None = None) -> list[Policy]:
    rows = permissions.needed(settings, names or permissions.possible(settings))
    return documents.make(settings, rows, ARNS, callers or {Principal(): USER})


def _allowed(settings: Settings, *names: str) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for policy in _made(settings, *names)
        for statement in policy.policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def _actions(settings: Settings, *names: str) -> set[str]:
    return {action for action, _ in _allowed(settings, *names)}


def _run(settings: Settings, capsys: pytest.CaptureFixture[str], **options: Any) -> tuple[str, str]:
    assert command.run(settings, PolicyOptions(**options)) == 0
    said = capsys.readouterr()
    return said.out, said.err


def test_who_has_no_role_shares_a_policy() -> None:
    """Without roles there is one policy, for our own credentials, and nobody to trust."""
    (policy,) = _made(tasks.task())
    assert (policy.role_arn, policy.profile, policy.used_for) == (None, None, ["source", "destination", "task"])
    assert policy.trust_policy is None
    assert "sts:AssumeRole" not in _actions(tasks.task())


def test_roles_have_policies_of_their_own_and_trust_who_assumes_them() -> None:
    """Each trusts just the credentials that assume it, with its external id; those may assume it."""
    settings = tasks.task(
        sourceRoleArn=READER, sourceRoleExternalId="only-us", destinationRoleArn=WRITER, destinationProfile="china"
    )
    callers = {Principal(): USER, Principal(profile="china"): "arn:aws-cn:iam::4:user/u"}
    own, china, reader, writer = _made(settings, callers=callers)
    assert [own.used_for, china.used_for, reader.used_for, writer.used_for] == [
        ["task"],
        [],
        ["source"],
        ["destination"],
    ]
    assert reader.trust_policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": USER},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "only-us"}},
            }
        ],
    }
    assert writer.trust_policy is not None
    (trust,) = writer.trust_policy["Statement"]
    assert trust["Principal"] == {"AWS": "arn:aws-cn:iam::4:user/u"}
    assert "Condition" not in trust
    assert own.policy["Statement"][-1]["Resource"] == [READER]
    assert [statement["Resource"] for statement in china.policy["Statement"]] == [[WRITER]]


def test_a_tagged_session_s_tags_are_let_pass() -> None:
    """EKS Pod Identity tags its sessions; AWS denies AssumeRole where either policy leaves the tags out."""
    settings = tasks.task(sourceRoleArn=READER, sourceRoleExternalId="only-us")
    rows = permissions.needed(settings, permissions.possible(settings))
    own, reader = documents.make(settings, rows, ARNS, {Principal(): USER}, tags_sessions=True)
    assert own.policy["Statement"][-1]["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert reader.trust_policy is not None
    assume, tag = reader.trust_policy["Statement"]
    assert assume["Condition"] == {"StringEquals": {"sts:ExternalId": "only-us"}}
    assert tag == {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:TagSession"}


def test_one_role_for_two_sides_has_one_policy() -> None:
    """It may do what either needs."""
    settings = tasks.task(sourceRoleArn=READER, kclRoleArn=READER)
    own, role = _made(settings)
    assert (own.used_for, role.used_for) == (["destination"], ["source", "task"])


@pytest.mark.parametrize(
    ("setting", "value", "action"),
    [
        ("writeMode", "batch", "dynamodb:BatchWriteItem"),
        ("createDestination", "true", "dynamodb:CreateTable"),
        ("enableStream", "true", "dynamodb:UpdateTable"),
        ("dontPublishCloudwatch", "false", "cloudwatch:PutMetricData"),
        ("deadLetterUri", "s3://letters/here", "s3:DeleteObject"),
        ("heartbeatSeconds", "5", "dynamodb:PutItem"),
    ],
)
def test_a_setting_brings_what_it_needs(setting: str, value: str, action: str) -> None:
    """Without it, that is not allowed."""
    others = {"writeMode": "item", "dontPublishCloudwatch": "true"}
    names = ("copy",) if setting in {"createDestination", "enableStream"} else ("replicate", "redrive")
    without = _allowed(tasks.task(**others), *names)
    brought = _allowed(tasks.task(**others | {setting: value}), *names) - without
    assert action in {name for name, _ in brought}


def test_a_daemon_that_copies_by_itself_may_what_copy_and_verify_may() -> None:
    """With the settings that ask for it, and as far as they do."""
    plain = _allowed(tasks.task(), "replicate")
    bootstrap = _allowed(tasks.task(bootstrap="true"), "replicate")
    others = _allowed(tasks.task(createDestination="true", enableStream="true"), "copy", "verify", "status")
    assert not others <= plain
    assert others <= bootstrap
    assert bootstrap <= plain | others
    repairs = _allowed(tasks.task(afterLoss="copy"), "replicate")
    assert _allowed(tasks.task(), "copy", "verify", "repair", "status") <= repairs
    assert "dynamodb:CreateTable" not in {action for action, _ in repairs - plain}
    assert ("dynamodb:Scan", ARNS.destination_table) in _allowed(tasks.task(bootstrap="true"), "check")


def test_the_heartbeat_may_write_its_own_item_only() -> None:
    """Where the source's partition key is a string; where it is not, or not known, IAM can't tell the items apart."""
    settings = tasks.task(heartbeatSeconds="5")
    rows = permissions.needed(settings, ["replicate"])
    table = ARNS.source_table
    for there, other_is_allowed in (
        (msgspec.structs.replace(ARNS, heartbeat_key="our own"), False),
        (ARNS, True),
    ):
        (made,) = documents.make(settings, rows, there, {Principal(): USER})
        for key, allowed in (("our own", True), ("another", other_is_allowed)):
            context = {"dynamodb:LeadingKeys": key}
            assert allowed == authority.allows(made.policy, "dynamodb:PutItem", table, context)
    described = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("at", "id")],
    }
    assert lookup.heartbeat_key(settings, described) == heartbeat.key({"id": "S"}, settings.task_name)["id"]["S"]
    described["AttributeDefinitions"][1]["AttributeType"] = "N"
    assert lookup.heartbeat_key(settings, described) is None


def test_kcl_s_own_tables_go_by_kcl_s_settings() -> None:
    """An elected leader needs more; other names, recovery and tags are heeded."""
    counting = _allowed(tasks.task(), "replicate")
    assert not any("WorkerMetricStats" in resource or "/index/" in resource for _, resource in counting)
    settings = tasks.task(
        clientVersionConfig="CLIENT_VERSION_CONFIG_3X",
        coordinatorStateTableName="state",
        coordinatorStateTags="team=orders",
        leaseTablePitrEnabled="true",
        workerMetricsPointInTimeRecoveryEnabled="false",
    )
    prefix = ARNS.task_tables
    brought = _allowed(settings, "replicate") - counting
    table = prefix + settings.checkpoint_table
    assert {
        ("dynamodb:Query", f"{table}/index/*"),
        ("dynamodb:UpdateTable", table),
        ("dynamodb:UpdateContinuousBackups", table),
        ("dynamodb:CreateTable", f"{table}-WorkerMetricStats"),
        ("dynamodb:DeleteItem", f"{prefix}state"),
        ("dynamodb:TagResource", f"{prefix}state"),
    } <= brought
    assert ("dynamodb:UpdateContinuousBackups", f"{table}-WorkerMetricStats") not in brought


def test_only_metrics_are_allowed_on_everything() -> None:
    """And those in the task's namespace only."""
    settings = tasks.task(createDestination="true", enableStream="true", deadLetterUri="s3://letters")
    for policy in _made(settings):
        for statement in policy.policy["Statement"]:
            if "*" in statement["Resource"]:
                assert statement["Action"] == ["cloudwatch:PutMetricData"]
                assert statement["Condition"] == {"StringEquals": {"cloudwatch:namespace": settings.checkpoint_table}}


def test_what_only_a_first_start_needs_stands_apart() -> None:
    """So it can be taken back: no statement that stays makes a checkpoint table."""
    (policy,) = _made(tasks.task(), "replicate", "copy")
    first, stays = [], []
    for statement in policy.policy["Statement"]:
        (first if statement["Sid"].endswith(documents.FIRST_START) else stays).append(statement)
    assert [statement["Action"] for statement in first] == [["dynamodb:CreateTable"]]
    assert len(first[0]["Resource"]) == 3
    assert not any("dynamodb:CreateTable" in statement["Action"] for statement in stays)


def test_reading_commands_are_allowed_no_write() -> None:
    """Status, preview and verify can change nothing; check only tries the destination's writes."""
    settings = tasks.task(deadLetterUri="s3://letters", createDestination="true", enableStream="true")
    reads = ("BatchGet", "Describe", "Get", "List", "Scan")
    tried = {f"dynamodb:{name}" for name in ("BatchWriteItem", "DeleteItem", "PutItem")}
    assert tried <= set(_actions(settings, "check"))
    for action in {*_actions(settings, "check")} - tried | {*_actions(settings, "preview", "status", "verify")}:
        assert action.partition(":")[2].startswith(reads), action


def test_every_command_has_its_permissions() -> None:
    """No command of the program is forgotten; repair and replicate have no name of their own there."""
    named = {*wanted.COMMANDS} - {"repair", "replicate"}
    assert named == set(registry.COMMANDS) - {"policy"}
    for name in wanted.COMMANDS:
        assert _allowed(tasks.task(deadLetterUri="s3://letters"), name)


@pytest.mark.parametrize("text", ["", "replicate,nothing", ","])
def test_a_command_that_is_none_is_refused(text: str) -> None:
    """With the names that there are."""
    with pytest.raises(ValueError, match="is none of check, console, copy"):
        wanted.commands(text)


def test_options_that_do_not_go_together() -> None:
    """A way of copying without copy, a place that is none, a caller that is none."""
    with pytest.raises(UsageError, match="--viaS3 says how copy is to be made"):
        command.run(tasks.task(), PolicyOptions(commands=("check",), via_s3="s3://exports", caller=USER, as_json=True))
    with pytest.raises(UsageError, match="--viaS3: 'nowhere' is not a place"):
        command.run(tasks.task(), PolicyOptions(via_s3="nowhere", caller=USER, as_json=True))
    with pytest.raises(UsageError, match="--caller: 'me' is no ARN"):
        registry.COMMANDS["policy"].take(["--caller", "me"])


def test_offline_it_prints_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing listens there: what could not be known has a mark in its place, and a note of its own."""
    nowhere = dict.fromkeys(("sourceEndpoint", "destinationEndpoint"), "http://127.0.0.1:9")
    settings = tasks.task(sourceRoleArn=READER, destinationRegion="cn-north-1", **nowhere)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
        printed, said = _run(settings, capsys, as_json=True)
    report = json.loads(printed)
    resources = {
        resource
        for policy in report["policies"]
        for statement in policy["policy"]["Statement"]
        for resource in statement["Resource"]
    }
    assert "arn:aws:dynamodb:eu-west-1:111111111111:table/orders" in resources
    assert f"arn:aws-cn:dynamodb:cn-north-1:{NO_ACCOUNT}:table/orders-copy" in resources
    assert said.count("could not be looked up") == 3
    assert f"put it in the place of {NO_ACCOUNT}" in said
    assert "give its ARN with --caller" in said
    assert report["notes"] == [line.removeprefix("NOTE: ") for line in said.splitlines()]


def test_what_aws_knows_is_filled_in(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A table's own ARN, and whose credentials these are; a table that is not there is no reason to stop."""
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    with mock_aws():
        settings = tasks.task(destinationRoleArn="arn:aws:iam::222222222222:role/writer")
        clients = Clients(settings)
        create_table(clients.source(), settings.source_table, stream=True)
        printed, said = _run(settings, capsys)
    assert "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/*" in printed
    assert "arn:aws:dynamodb:us-east-1:222222222222:table/orders-copy" in printed
    assert '"AWS": "arn:aws:sts::123456789012:user/moto"' in printed
    assert "The trust policies let arn:aws:sts::123456789012:user/moto assume the roles" in said
    assert "NOTE: Destination table orders-copy in us-east-1: could not be looked up" in said


def test_people_get_documents_to_paste(capsys: pytest.CaptureFixture[str]) -> None:
    """Between headings each is JSON by itself."""
    settings = tasks.task(
        sourceRoleArn=READER, sourceEndpoint="http://127.0.0.1:9", destinationEndpoint="http://127.0.0.1:9"
    )
    printed, _ = _run(settings, capsys, caller=USER)
    parts = [part for part in printed.split("\n\n") if not part.endswith("verify")]
    found = [json.loads("\n".join(line for line in part.splitlines() if not line.startswith("#"))) for part in parts]
    assert [set(document) for document in found] == [{"Version", "Statement"}] * 3
    assert "# Our own credentials: for the destination and the checkpoint tables\n" in printed
    assert f"# Role {READER}: its trust policy\n" in printed


def test_a_role_s_session_is_trusted_as_its_role() -> None:
    """STS names the session; a trust policy wants the role."""
    assert (
        lookup.principal_of("arn:aws-cn:sts::333333333333:assumed-role/deploy/i-1")
        == "arn:aws-cn:iam::333333333333:role/deploy"
    )
    assert lookup.principal_of(USER) == USER


def test_a_role_s_path_is_asked_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """STS names a session's role without it, and IAM refuses such a trust policy; what can't be known is said."""
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    assumed = "arn:aws:sts::123456789012:assumed-role/deploy/i-1"
    monkeypatch.setattr(Clients, "caller", lambda _, profile: assumed)  # noqa: ARG005  # passed by its name
    settings = tasks.task(destinationRoleArn="arn:aws:iam::222222222222:role/writer")
    with mock_aws():
        printed, said = _run(settings, capsys)
        assert '"AWS": "arn:aws:iam::123456789012:role/deploy"' in printed
        assert "NOTE: Whether role deploy has a path: could not be looked up" in said
        assert "give the role's whole ARN with --caller" in said
        boto3.client("iam", region_name="us-east-1").create_role(
            RoleName="deploy", Path="/team/blue/", AssumeRolePolicyDocument="{}"
        )
        printed, said = _run(settings, capsys)
    assert '"AWS": "arn:aws:iam::123456789012:role/team/blue/deploy"' in printed
    assert "has a path" not in said


def test_messages_need_one_topic_and_looks() -> None:
    """Publish on it and nothing else of SNS; of a URL nothing; and whoever tells looks at all that status reads."""
    topic = "arn:aws:sns:eu-central-1:123456789012:replicas"
    settings = tasks.task(notifyUri=topic)
    assert {each for each in _allowed(settings, "replicate") if each[0].startswith("sns:")} == {("sns:Publish", topic)}
    assert {each for each in _allowed(settings, "check") if each[0].startswith("sns:")} == {
        ("sns:GetTopicAttributes", topic)
    }
    by_url = tasks.task(notifyUri="https://alerts.example.com/T0K3N")
    assert not {action for action in _actions(by_url) if action.startswith("sns:")}
    assert _allowed(by_url, "status") <= _allowed(by_url, "replicate")
    assert not _allowed(tasks.task(), "status") <= _allowed(tasks.task(), "replicate")


def test_a_place_in_a_bucket_is_narrow() -> None:
    """Letters have their task's folder; exports their prefix."""
    settings = tasks.task(deadLetterUri="s3://letters/of", taskName="t")
    assert arns.arn_of("Letters", settings, ARNS) == "arn:aws:s3:::letters/of/t/*"
    settings = tasks.task(deadLetterUri="s3://letters", taskName="t")
    assert arns.arn_of("Letters", settings, ARNS) == "arn:aws:s3:::letters/t/*"


def test_a_table_s_key_is_told_of() -> None:
    """Its policy decides who may use the table, and is not ours to print."""
    described = {"TableName": "orders", "SSEDescription": {"KMSMasterKeyArn": "arn:aws:kms:eu-west-1:1:key/k"}}
    (note,) = lookup.keys_of(described, {"TableName": "orders-copy"}, None)
    assert note.startswith("Table orders: is encrypted with KMS key arn:aws:kms:eu-west-1:1:key/k.")
