"""A task in three accounts behind guards: a role reads the source, one writes the destination, a user does the rest.

::

    with GuardedTask(dynamodb.endpoint, moto.endpoint) as task:
        task.grant("check")                     # what run.sh policy prints for it, and nothing else
        status, output, errors = task.run("check")
        assert task.unused() == set()           # what was granted and never used
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import uuid
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from processor.cli import main
from processor.commands.policy.documents import FIRST_START
from processor.settings.settings import Settings
from tests.fakes.aws import authority
from tests.fakes.aws.authority import Authority, Principal
from tests.fakes.aws.guard import Guard
from tests.fakes.machine.as_process import as_process
from tests.fakes.network import faults
from tests.fakes.network.faulty_server import Fault
from tests.fakes.patience import until
from tests.fakes.task import tasks

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self

# DynamoDB Local's words.
_LOCAL = "arn:aws:dynamodb:ddblocal:000000000000:"
SOURCE_ACCOUNT, DESTINATION_ACCOUNT, TASK_ACCOUNT = "111111111111", "222222222222", "333333333333"
ACCESS_KEY = "AKIATASK"
CALLER = f"arn:aws:iam::{TASK_ACCOUNT}:user/replicator"
READER = f"arn:aws:iam::{SOURCE_ACCOUNT}:role/reader"
# The account of keys that moto does not know.
_MOTO_ACCOUNT = "123456789012"


class Grant(NamedTuple):
    """One action on one resource, as a policy has it."""

    principal: str
    action: str
    resource: str


class GuardedTask:
    """Serves from entering the context to leaving it. Its tables are not made yet.

    :param moto: has all services but DynamoDB
    :param local: DynamoDB Local, where the tables are; without it they are moto's, and all in one account, for moto's
        exports and imports know no other
    :param source: a simulated source, and how its ARNs begin
    """

    def __init__(self, moto: str, local: str | None, *, source: tuple[str, str] | None = None, **settings: str) -> None:
        self.authority = Authority()
        self.policies: dict[str, dict[str, Any]] = {}
        self.upstream = upstream = local or moto
        self._stack = ExitStack()
        self.suffix = suffix = uuid.uuid4().hex[:8]
        self.printed: list[dict[str, Any]] = []
        self.source_table, self.destination_table = f"source-{suffix}", f"destination-{suffix}"
        destination_account = DESTINATION_ACCOUNT if local else SOURCE_ACCOUNT
        self.writer = f"arn:aws:iam::{destination_account}:role/team/writer"
        words_of_source = source[1] if source else _LOCAL if local else ""
        # A role's tables are in its account there.
        foreign = _LOCAL if local else ""
        keys = _LOCAL if local else f"arn:aws:dynamodb:us-east-1:{_MOTO_ACCOUNT}:"
        made = {
            name: Guard(where, self.authority, region=region, account=account, foreign=words)
            for name, where, region, account, words in (
                ("source", source[0] if source else upstream, "us-east-1", SOURCE_ACCOUNT, words_of_source),
                ("destination", upstream, "eu-west-1", destination_account, foreign),
                ("checkpoints", upstream, "us-east-1", TASK_ACCOUNT, keys),
                ("others", moto, "us-east-1", TASK_ACCOUNT, ""),
            )
        }
        made["others"].buckets["exports"] = SOURCE_ACCOUNT  # what copy --viaS3 takes by default
        self._guards = made
        self.given = {
            "sourceRegion": "us-east-1",
            "sourceTable": self.source_table,
            "sourceEndpoint": made["source"].endpoint,
            "sourceRoleArn": READER,
            "sourceRoleExternalId": "only-us",
            "destinationRegion": "eu-west-1",
            "destinationTable": self.destination_table,
            "destinationEndpoint": made["destination"].endpoint,
            "destinationRoleArn": self.writer,
            "kclEndpoint": made["checkpoints"].endpoint,
            "taskName": f"task-{suffix}",
            "failoverTimeMillis": "2500",
            "copySegments": "1",
            **settings,
        }
        self.environment = {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            **{f"AWS_ENDPOINT_URL_{service}": made["others"].endpoint for service in ("STS", "S3", "CLOUDWATCH")},
        }
        # Past the guards, for the test itself.
        self.credentials = {} if local else _credentials(moto)
        self.db: DynamoDBClient = self._client("us-east-1")
        self.there: DynamoDBClient = self._client("eu-west-1")

    def _client(self, region: str) -> DynamoDBClient:
        return boto3.client("dynamodb", region_name=region, endpoint_url=self.upstream, **self.credentials)

    def __enter__(self) -> Self:
        for guard in self._guards.values():
            self._stack.enter_context(guard)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def settings(self) -> Settings:
        """For fakes, past the guards."""
        past = {"sourceEndpoint": self.upstream, "destinationEndpoint": self.upstream, "kclEndpoint": self.upstream}
        return tasks.task(**self.given | past)

    def grant(self, *commands: str, options: Iterable[str] = ()) -> set[Grant]:
        """Let everybody do what ``run.sh policy`` says that these commands need; he himself may do nothing.

        :returns: all of it
        """
        self._appoint([])
        status, output, errors = self.run("policy", "--json", "--caller", CALLER, "--for", ",".join(commands), *options)
        assert status == 0, errors
        self._appoint(json.loads(output)["policies"])
        return self.granted()

    def grant_as(self, other: GuardedTask, *, without: Grant) -> None:
        """What is granted to a task of the same settings, on this one's tables, but for one action."""
        self._appoint(json.loads(json.dumps(other.printed).replace(other.suffix, self.suffix)))
        resource = without.resource.replace(other.suffix, self.suffix)
        for statement in self.policies[without.principal]["Statement"]:
            if resource in statement["Resource"]:
                statement["Action"] = [action for action in statement["Action"] if action != without.action]

    def anonymous(self, grant: Grant) -> Grant:
        """The same of any task."""
        return grant._replace(resource=grant.resource.replace(self.suffix, ""))

    def _appoint(self, printed: list[dict[str, Any]]) -> None:
        """Give everybody his policies; nobody else has any."""
        self.printed = printed
        self.authority.allowed.clear()
        self.authority.denied.clear()
        self.authority.roles.clear()
        self.policies = {}
        self.authority.user(ACCESS_KEY, Principal(name="task", arn=CALLER))
        for each in printed:
            role_arn = each["roleArn"]
            name = (role_arn or "task").rpartition("/")[2]
            self.policies[name] = each["policy"]
            made = Principal(name=name, arn=role_arn or CALLER, policies=(each["policy"],), trust=each["trustPolicy"])
            if role_arn:
                self.authority.role(made)
            else:
                self.authority.user(ACCESS_KEY, made)

    def listed(self, *commands: str, leave_out: Iterable[str] = (), options: Iterable[str] = ()) -> set[Grant]:
        """What ``run.sh policy`` says that these commands need, with some settings left out."""
        given, policies = self.given, self.policies
        self.given = {name: value for name, value in given.items() if name not in set(leave_out)}
        try:
            return self.grant(*commands, options=options)
        finally:
            self.given, self.policies = given, policies

    def granted(self) -> set[Grant]:
        """Everything that is."""
        return {
            Grant(name, action, resource)
            for name, policy in self.policies.items()
            for statement in policy["Statement"]
            for action in statement["Action"]
            for resource in statement["Resource"]
        }

    def unused(self) -> set[Grant]:
        """What is granted, and was used by nobody since."""
        return {grant for grant in self.granted() if not self._is_used(grant)}

    def throttle_leases(self) -> Fault:
        """From now on no lease is renewed, and no checkpoint stored."""
        return self._guards["checkpoints"].inject(faults.error("ProvisionedThroughputExceededException"), "UpdateItem")

    def wait_used(self, action: str, table: str) -> None:
        """Until all that is granted is used, but for that action on that table."""
        until(
            lambda: {(action, table)} == {(each.action, each.resource.rpartition("/")[2]) for each in self.unused()},
            f"all that is granted is used but for {action} on {table}",
        )

    def withdraw_first_start(self) -> None:
        """Take back what is needed until the checkpoint tables are there, having been used."""
        for policy in self.policies.values():
            kept = [each for each in policy["Statement"] if not each["Sid"].endswith(FIRST_START)]
            gone = {"Statement": [each for each in policy["Statement"] if each not in kept]}
            assert set() == {grant for grant in self.unused() if authority.allows(gone, grant.action, grant.resource)}
            policy["Statement"] = kept

    def _is_used(self, grant: Grant) -> bool:
        policy = {"Statement": [{"Effect": "Allow", "Action": grant.action, "Resource": grant.resource}]}
        return any(
            authority.allows(policy, call.action, call.resource)
            for call in self.authority.allowed
            if call.principal == grant.principal
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """A command in this process, whose environment is ``environment``: exit status and both outputs."""
        given = [part for setting, value in self.given.items() for part in (f"--{setting}", value)]
        output, errors = io.StringIO(), io.StringIO()
        with as_process(), contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            status = main.main([arguments[0], *given, *arguments[1:]])
        sys.stdout.flush()
        return status, output.getvalue(), errors.getvalue()


def _credentials(moto: str) -> dict[str, str]:
    """With moto, each account has its own tables; the test's are the source's."""
    sts = boto3.client("sts", region_name="us-east-1", endpoint_url=moto)
    found = sts.assume_role(RoleArn=READER, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }
