"""Makes the clients of a task."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from botocore.config import Config

from processor.aws.bounds import ROOM
from processor.aws.client_calls import prepare
from processor.aws.connections import bound
from processor.aws.errors import aws_errors
from processor.aws.sessions import MakeSession, is_aws_region, session, sts_region
from processor.aws.timeouts import WriteTimeouts
from processor.settings.identity import SESSION_NAME, Identity

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient
    from typing_extensions import Required, Unpack

    from processor.settings.settings import Settings

_TIMEOUTS = Config(connect_timeout=3, read_timeout=10, user_agent_extra=SESSION_NAME)
# For a whole call: twice the time of its steps, to allow for a page of 1 MB on a slow line.
_READ_SECONDS = 30.0
_WRITE_CONFIG = _TIMEOUTS.merge(
    Config(
        retries={"total_max_attempts": 1},  # apply.py retries, and reports it
        parameter_validation=False,
    )
)
_READ_CONFIG = _TIMEOUTS.merge(Config(retries={"total_max_attempts": 3, "mode": "standard"}))
# Stores that are S3 by their protocol alone refuse what AWS's SDKs send by themselves since 2025 (x-amz-checksum-…).
_S3_CONFIG = _READ_CONFIG.merge(
    Config(request_checksum_calculation="when_required", response_checksum_validation="when_required")
)
# Seconds. A shard waits for the answer; apply.py retries, and reports it.
_LETTER_CONFIG = _S3_CONFIG.merge(Config(read_timeout=5, retries={"total_max_attempts": 1}))


class ClientOptions(TypedDict, total=False):
    """Options of botocore's ``create_client``.

    ``region_name``: None for the session's. ``endpoint_url``: None for AWS's own.
    """

    config: Required[Config]
    region_name: str | None
    endpoint_url: str | None


class Create(Protocol):
    """What makes a session's client for a service."""

    def __call__(self, session: Session, service: str, **options: Unpack[ClientOptions]) -> Any:
        """Make it."""


def _create(session: Session, service: str, **options: Unpack[ClientOptions]) -> Any:
    return session.create_client(service, **options)


class Clients:
    """The clients of one task, each made at its first use.

    :param connections: concurrent calls of each client
    :param create: makes them; ``boto3_clients.create`` does so by boto3
    """

    def __init__(self, settings: Settings, *, connections: int = 10, create: Create = _create) -> None:
        self._settings = settings
        self._create = create
        self._config = _READ_CONFIG.merge(Config(max_pool_connections=connections))
        ROOM.widen(connections)
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._accounts: dict[str | None, str] = {}  # by profile
        self._sessions: dict[tuple[Identity, str], Session] = {}

    def source(self) -> DynamoDBClient:
        """Reads the source table."""
        s = self._settings
        return self._client("dynamodb", s.source_region, s.source_endpoint, s.source_identity)  # type: ignore[no-any-return]

    def streams(self) -> DynamoDBStreamsClient:
        """Reads the source table's stream."""
        s = self._settings
        return self._client("dynamodbstreams", s.source_region, s.source_streams_endpoint, s.source_identity)  # type: ignore[no-any-return]

    def destination(self) -> DynamoDBClient:
        """Reads the destination table; ``WritableTable`` writes it."""
        s = self._settings
        return self._client("dynamodb", s.destination_region, s.destination_endpoint, s.destination_identity)  # type: ignore[no-any-return]

    def checkpoints(self) -> DynamoDBClient:
        """Reads KCL's tables and keeps the task's own."""
        s = self._settings
        return self._client("dynamodb", s.kcl_region, s.kcl_endpoint, s.task_identity)  # type: ignore[no-any-return]

    def cloudwatch(self) -> CloudWatchClient:
        """Receives the metrics; in the checkpoint table's region, like KCL's own."""
        s = self._settings
        return self._client("cloudwatch", s.kcl_region, None, s.task_identity)  # type: ignore[no-any-return]

    def sns(self, region: str) -> Any:
        """Publishes on a topic of that region, as the task."""
        return self._client("sns", region, None, self._settings.task_identity)

    def caller(self, profile: str | None = None) -> str:
        """The ARN behind a profile's credentials, or behind the usual ones: a user's, or that of a role's session.

        :raises UnavailableError: STS can't be asked
        """
        who = Identity(profile=profile, sts_region=self._settings.task_identity.sts_region)
        region = self._settings.kcl_region
        with aws_errors("GetCallerIdentity"):
            with self._lock:
                found = self._create(session(who), "sts", region_name=sts_region(who, region), config=_READ_CONFIG)
            client: STSClient = bound(found, _READ_SECONDS)
            return client.get_caller_identity()["Arn"]

    def role(self, name: str, profile: str | None = None) -> str:
        """The ARN of a role of the caller's account, with its path, which the ARN of the role's session lacks.

        :raises UnavailableError: IAM can't be asked
        :raises RefusedError: it doesn't say
        """
        who = Identity(profile=profile, sts_region=self._settings.task_identity.sts_region)
        region = sts_region(who, self._settings.kcl_region)
        with aws_errors("GetRole"):
            with self._lock:
                found = self._create(session(who), "iam", region_name=region, config=_READ_CONFIG)
            return str(bound(found, _READ_SECONDS).get_role(RoleName=name)["Role"]["Arn"])

    def account(self, identity: Identity) -> str:
        """The number of the account in which an identity acts: its role's, or what STS says, which is asked once.

        :raises UnavailableError: STS can't be asked
        """
        if identity.role_arn is not None:
            return identity.role_arn.split(":")[4]
        if identity.profile not in self._accounts:
            self._accounts[identity.profile] = self.caller(identity.profile).split(":")[4]
        return self._accounts[identity.profile]

    def task_account(self) -> str:
        """The account that must own the bucket of dead letters or conflicts, where their setting names no other.

        :raises UnavailableError: STS can't be asked
        """
        return self.account(self._settings.task_identity)

    def s3(self) -> S3Client:
        """Stores the dead letters, as the task; made again for each call, with the credentials of that moment."""
        return self._s3(self._settings.task_identity, self._settings.kcl_region, _S3_CONFIG)

    def s3_for_shards(self) -> S3Client:
        """The same for calls for which a shard waits: it tries once."""
        return self._s3(self._settings.task_identity, self._settings.kcl_region, _LETTER_CONFIG)

    def export_s3(self) -> S3Client:
        """Examines the bucket for the source's export, as the source, in whose name DynamoDB writes there."""
        return self._s3(self._settings.source_identity, self._settings.source_region, _S3_CONFIG)

    def _s3(self, identity: Identity, region: str, config: Config) -> S3Client:
        # botocore finds a bucket in any other region of the same partition by itself. An emulator's region isn't one.
        with self._lock, aws_errors("Client for S3"):
            made = session(identity, region=region if is_aws_region(region) else None)
            return bound(self._create(made, "s3", config=config), _READ_SECONDS)  # type: ignore[no-any-return]

    def _client(self, service: str, region: str, endpoint: str | None, identity: Identity) -> Any:
        name = repr((service, region, endpoint, identity))
        with self._lock:  # threads may share a client, but not a session
            if name not in self._made:
                with aws_errors(f"Client for {service} in {region}"):
                    who = identity, region
                    made = self._sessions.get(who) or session(identity, region=region)
                    self._sessions[who] = made  # a new one would read all its data files again
                    client = self._create(made, service, endpoint_url=endpoint, config=self._config)
                    prepare(client)
                    self._made[name] = bound(client, _READ_SECONDS)
            return self._made[name]


def write_client(
    region: str,
    endpoint: str | None,
    *,
    connections: int,
    timeouts: WriteTimeouts,
    make_session: MakeSession = session,
) -> DynamoDBClient:
    """A client that tries once, keeps to its timeouts, and leaves the check of parameters to DynamoDB.

    :param connections: concurrent calls
    """
    config = _WRITE_CONFIG.merge(
        Config(max_pool_connections=connections, connect_timeout=timeouts.connect, read_timeout=timeouts.read)
    )
    with aws_errors(f"Client for dynamodb in {region}"):
        client = _create(make_session(), "dynamodb", region_name=region, endpoint_url=endpoint, config=config)
        prepare(client)
        return bound(client, timeouts.call)  # type: ignore[no-any-return]
