"""Who calls, and roles that are made with just the policies that ``./run.sh policy`` prints."""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.aws import names
from tests.aws.outcome import SkippedError
from tests.aws.scene import Scene, Task
from tests.fakes.patience import until

_LOCAL_CALLER = "arn:aws:iam::000000000000:user/nobody"
_SIDES = {"source": "sourceRoleArn", "destination": "destinationRoleArn", "task": "kclRoleArn"}
_REFUSED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_PROPAGATION_SECONDS = 180.0  # a new role is known everywhere after some ten
_COMMANDS = "check,copy,replicate,status,verify,repair"


def look(scene: Scene) -> str:
    """Who calls, as STS says it, kept in ``scene.identity``; for the one who is asked for a yes, not for the report."""
    if not scene.place.has_identities:
        scene.identity = {"caller": _LOCAL_CALLER}
        raise SkippedError("these servers have no STS, and AWS's is not asked about them")
    found = scene.place.source.client("sts").get_caller_identity()
    scene.identity = {"account": found["Account"], "caller": _principal(scene, found["Arn"])}
    credentials = boto3.Session().get_credentials()
    return f"Account {found['Account']}, credentials by {credentials.method if credentials else 'nothing'}."


def _principal(scene: Scene, arn: str) -> str:
    """What a trust policy names: of a session its role, with the path that only IAM knows."""
    session = re.fullmatch(r"arn:[^:]+:sts::\d{12}:assumed-role/([^/]+)/.*", arn)
    if session is None:
        return arn.replace(":sts:", ":iam:")
    try:
        return str(scene.place.source.client("iam").get_role(RoleName=session[1])["Role"]["Arn"])
    except ClientError:  # may not look at roles; most have no path
        partition, account = arn.split(":")[1], arn.split(":")[4]
        return f"arn:{partition}:iam::{account}:role/{session[1]}"


def policies(scene: Scene, task: Task) -> list[dict[str, Any]]:
    """What ``./run.sh policy`` prints."""
    given = ("--json", "--for", _COMMANDS, "--caller", scene.identity["caller"])
    found: list[dict[str, Any]] = task.command("policy", *given)["policies"]
    return found


def print_policies(scene: Scene) -> str:
    """Every statement names its tables: none of them allows anything on everything."""
    found = policies(scene, scene.on_demand)
    statements = [statement for each in found for statement in each["policy"]["Statement"]]
    assert statements, "policy printed nothing"
    open_ones = [each["Sid"] for each in statements if "*" in each["Resource"]]
    assert not open_ones, f"statements that allow every resource: {', '.join(open_ones)}"
    actions = {action for each in statements for action in each["Action"]}
    return f"{len(found)} policies, {len(statements)} statements, {len(actions)} actions, none on every resource"


def make_roles(scene: Scene) -> str:
    """A role for each side; from here on the task has nothing but their permissions."""
    if not scene.place.has_identities:
        raise SkippedError("these servers have no IAM")
    task, iam = scene.on_demand, scene.place.source.client("iam")
    partition, account = scene.identity["caller"].split(":")[1], scene.identity["account"]
    wanted = {
        setting: f"arn:{partition}:iam::{account}:role/{names.named(scene.run, side)}"
        for side, setting in _SIDES.items()
    }
    _list_roles(iam)
    before = dict(task.settings)
    task.settings |= wanted
    try:
        made = [each for each in policies(scene, task) if each["roleArn"]]
        assert {each["roleArn"] for each in made} == set(wanted.values()), "policy didn't print one for each role"
        for each in made:
            _make(iam, scene.run, each)
        for arn in wanted.values():
            until(
                lambda role=arn: _assumed(scene, role),
                "roles can be assumed (by sts:AssumeRole)",
                seconds=_PROPAGATION_SECONDS,
            )
        until(task.is_allowed, "the printed policies allow all that check looks at", seconds=_PROPAGATION_SECONDS)
    except BaseException as exc:
        task.settings = before
        if isinstance(exc, ClientError) and exc.response["Error"]["Code"] in _REFUSED:
            raise SkippedError(f"these credentials may not make roles ({exc.response['Error']['Code']})") from exc
        raise
    scene.roles = {side: wanted[setting] for side, setting in _SIDES.items()}
    return "3 roles with the printed policies and trust policies; the task on demand runs with them"


def _list_roles(iam: Any) -> None:
    """Whoever can't list roles could not find those that a killed run has left, so none are made."""
    try:
        iam.list_roles(MaxItems=1)
    except ClientError as exc:
        if exc.response["Error"]["Code"] in _REFUSED:
            raise SkippedError(
                "these credentials may not list roles, so they could not be removed after a kill"
            ) from exc
        raise


def _make(iam: Any, run: str, printed: dict[str, Any]) -> None:
    name = printed["roleArn"].rpartition("/")[2]
    trust = json.dumps(printed["trustPolicy"])
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=names.tags(run))
    document = json.dumps(printed["policy"])
    iam.put_role_policy(RoleName=name, PolicyName=names.named(run, "least"), PolicyDocument=document)


def _assumed(scene: Scene, arn: str) -> dict[str, str] | None:
    """Credentials of the role; None until IAM has told it everywhere, which may take a minute."""
    sts = scene.place.source.client("sts")
    try:
        found = sts.assume_role(RoleArn=arn, RoleSessionName="proof")["Credentials"]
    except ClientError as exc:
        if exc.response["Error"]["Code"] in _REFUSED:
            return None
        raise
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }


def overstep(scene: Scene) -> str:
    """The role that reads the source tries to write the destination, which its policy doesn't allow."""
    if not scene.roles:
        raise SkippedError("no roles were made")
    task = scene.on_demand
    credentials = _assumed(scene, scene.roles["source"]) or {}
    client: Any = boto3.client(
        "dynamodb",
        region_name=task.destination.region,
        endpoint_url=task.destination.endpoint,
        **credentials,  # type: ignore[arg-type]
    )
    try:
        client.delete_item(TableName=task.destination_table, Key={"id": {"S": "never-there"}})
    except ClientError as exc:
        if exc.response["Error"]["Code"] not in _REFUSED:
            raise
        scene.seen["iam"] = "a call outside of a printed policy was refused, all calls inside were allowed"
        return "the source's role may not write the destination"
    assert not scene.place.is_aws, "the source's role could delete an item at the destination"
    raise SkippedError("this server allows everything to everybody")
