"""The one module that talks to AWS: clients, the role to assume, raw writes, and what each error means.

Images are written as the bytes they came as. botocore would want them parsed into Python values only to serialise them
again, at several times the cost; so it is called with an empty request, whose body is swapped for ours just before it
is signed. Signing, credentials, endpoints, connections and the parsing of answers stay botocore's.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
    UnknownTokenProviderError,
)

from processor.errors import CredentialsError, RefusedError, UnavailableError
from processor.lease_term import WriteTimeouts
from processor.plan import bytes_of
from processor.records import Change, key_identity

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_s3 import S3Client

    from processor.settings import Settings

# The answers that mean "not this write, not ever" (DynamoDB API reference, common errors and each call's own). Whatever
# is on neither list may change, so the batch is kept and tried again: waiting loses nothing, giving up might.
REFUSALS = frozenset({"ValidationException", "ItemCollectionSizeLimitExceededException", "SerializationException"})
REJECTED_CREDENTIALS = frozenset(
    {
        "403",  # to S3's HEAD, which has no body to say more
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
# What botocore says before any call, when it finds no credentials or can't renew those it has.
_NO_CREDENTIALS = (
    CredentialRetrievalError,
    LoginError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
    UnknownTokenProviderError,
)
# An answer without a code of its own: the request was larger than the service reads.
TOO_LARGE_STATUS = 413

# All threads of a shard meet refused credentials at once; one look a while is enough.
_RENEWAL_SECONDS = 5.0

_SESSION_NAME = "dynamodb-replicator"
_TIMEOUTS = Config(connect_timeout=3, read_timeout=10, user_agent_extra=_SESSION_NAME)
_WRITE_CONFIG = _TIMEOUTS.merge(
    Config(
        retries={"total_max_attempts": 1},  # apply.py retries, and says so
        parameter_validation=False,
    )
)
_READ_CONFIG = _TIMEOUTS.merge(Config(retries={"total_max_attempts": 3, "mode": "standard"}))


@contextmanager
def aws_errors(call: str) -> Iterator[None]:
    """Turn botocore's exceptions into ours.

    :param call: the call and its object, for the message, as "PutItem on table orders in eu-west-1"
    :raises RefusedError: AWS will never do this
    :raises CredentialsError: the credentials are missing, refused or out of date
    :raises UnavailableError: anything else; it may work later
    """
    try:
        yield
    except ClientError as exc:
        error = exc.response.get("Error", {})
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.get("Code", "") or f"HTTP {status}"
        message = f"{call}: {code}: {error.get('Message') or 'no reason given'}"
        if code in REFUSALS or status == TOO_LARGE_STATUS:
            raise RefusedError(message, code=code) from exc
        if code in REJECTED_CREDENTIALS:
            raise CredentialsError(message, code=code) from exc
        raise UnavailableError(message, code=code) from exc
    except _NO_CREDENTIALS as exc:
        raise CredentialsError(f"{call}: {exc}", code=type(exc).__name__) from exc
    except (BotoCoreError, HTTPClientError, OSError) as exc:
        raise UnavailableError(f"{call}: {exc}", code=type(exc).__name__) from exc


# --- Clients -------------------------------------------------------------------------------------------------------


def session(role_arn: str | None = None, *, region: str | None = None) -> boto3.Session:
    """Credentials from the usual places; with a role, that role's, renewed before they expire."""
    own = boto3.Session(region_name=region)
    if role_arn is None:
        return own
    credentials = own.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    core = botocore.session.Session()
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=own._session.create_client,  # noqa: SLF001  # what botocore's own role provider passes here
        source_credentials=credentials,
        role_arn=role_arn,
        extra_args={"RoleSessionName": _SESSION_NAME},
    )
    core._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]  # noqa: SLF001  # no public way
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return boto3.Session(botocore_session=core, region_name=region)


def is_aws_region(region: str) -> bool:
    """Whether a partition of AWS has, or by its pattern may have, a region of that name."""
    try:
        botocore.session.get_session().get_partition_for_region(region)
    except BotoCoreError:
        return False
    return True


class Clients:
    """The clients of one task, made when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}

    def source(self) -> DynamoDBClient:
        """Reads the source table."""
        s = self._settings
        return self._client("dynamodb", s.source_region, s.source_endpoint, s.source_role_arn)  # type: ignore[no-any-return]

    def streams(self) -> DynamoDBStreamsClient:
        """Reads the source table's stream."""
        s = self._settings
        return self._client("dynamodbstreams", s.source_region, s.source_streams_endpoint, s.source_role_arn)  # type: ignore[no-any-return]

    def destination(self) -> DynamoDBClient:
        """Reads the destination table; ``WritableTable`` writes it."""
        s = self._settings
        return self._client("dynamodb", s.destination_region, s.destination_endpoint)  # type: ignore[no-any-return]

    def checkpoints(self) -> DynamoDBClient:
        """Reads KCL's tables and keeps the task's own."""
        s = self._settings
        return self._client("dynamodb", s.kcl_region, s.kcl_endpoint)  # type: ignore[no-any-return]

    def s3(self) -> S3Client:
        """Keeps the dead letters; made anew at each call, with the credentials that are there by then.

        Its region is the destination's: botocore finds a bucket in any other region of the same partition by itself.
        Where that is an emulator's word, the region is the SDK's usual one.
        """
        region = self._settings.destination_region if is_aws_region(self._settings.destination_region) else None
        with self._lock, aws_errors("Client for S3"):
            return session(region=region).client("s3", config=_READ_CONFIG)

    def _client(self, service: str, region: str, endpoint: str | None, role_arn: str | None = None) -> Any:
        name = repr((service, region, endpoint, role_arn))
        with self._lock:  # boto3 sessions are not for several threads at once; clients are
            if name not in self._made:
                with aws_errors(f"Client for {service} in {region}"):
                    made = session(role_arn, region=region)
                    self._made[name] = made.client(service, endpoint_url=endpoint, config=_READ_CONFIG)  # type: ignore[call-overload]
            return self._made[name]


# --- Writes --------------------------------------------------------------------------------------------------------


class Table(Protocol):
    """What apply.py writes to; ``WritableTable`` and the tests' fakes."""

    name: str

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """Write changes of distinct keys in one call; returns those that the destination left undone."""

    def write_one(self, change: Change) -> None:
        """Write one change in a call of its own."""

    def renew_credentials(self) -> None:
        """Look credentials up anew."""


class WritableTable:
    """The destination, for puts and deletes of raw images. Any number of threads may share it.

    :param timeouts: how long a call may take, once it is allowed
    :param may_write: called as late as can be before each request; waits, or raises what the call then raises
    """

    def __init__(
        self,
        name: str,
        *,
        region: str,
        endpoint: str | None = None,
        connections: int,
        timeouts: WriteTimeouts,
        may_write: Callable[[], None],
        make_session: Callable[[], boto3.Session] = session,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._region = region
        self._endpoint = endpoint
        self._may_write = may_write
        self._config = _WRITE_CONFIG.merge(
            Config(max_pool_connections=connections, connect_timeout=timeouts.connect, read_timeout=timeouts.read)
        )
        self._make_session = make_session
        self._bodies = threading.local()
        self._clock = clock
        self._renewal = threading.Lock()
        self._renewed = clock()
        self._client: DynamoDBClient | None = None

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """BatchWriteItem.

        :param changes: 1 to 25, of distinct keys (see ``plan.calls``)
        :returns: those that came back unprocessed
        :raises RefusedError: one of them (the answer does not say which), or the call as a whole, is refused
        :raises UnavailableError: none, some or all are done; writing all of them again does no harm
        """
        requests = b",".join(
            b'{"PutRequest":{"Item":%b}}' % bytes_of(change)
            if change.kind == "put"
            else b'{"DeleteRequest":{"Key":%b}}' % bytes_of(change)
            for change in changes
        )
        body = b'{"RequestItems":{"%b":[%b]}}' % (self.name.encode(), requests)
        with aws_errors(self._call("BatchWriteItem")), self._raw(body):
            answer = self._connected().batch_write_item(RequestItems={})
        self._check_answer("BatchWriteItem", answer)
        # Whatever name the answer gives the table, there was only one.
        undone = [request for requests in answer.get("UnprocessedItems", {}).values() for request in requests]
        return _matching(changes, undone) if undone else []

    def write_one(self, change: Change) -> None:
        """PutItem or DeleteItem.

        :raises RefusedError: the destination will never accept it
        :raises UnavailableError: it may be done or not; writing it again does no harm
        """
        if change.kind == "put":
            body = b'{"TableName":"%b","Item":%b}' % (self.name.encode(), bytes_of(change))
            with aws_errors(self._call("PutItem")), self._raw(body):
                put = self._connected().put_item(TableName=self.name, Item={})
            self._check_answer("PutItem", put)
        else:
            body = b'{"TableName":"%b","Key":%b}' % (self.name.encode(), bytes_of(change))
            with aws_errors(self._call("DeleteItem")), self._raw(body):
                deleted = self._connected().delete_item(TableName=self.name, Key={})
            self._check_answer("DeleteItem", deleted)

    def key_types(self) -> dict[str, str]:
        """DescribeTable: the key's attributes, each with its type (``S``, ``N`` or ``B``), as they are now.

        :raises UnavailableError: the table can't be asked for, or is in no state to be written
        """
        with aws_errors(self._call("DescribeTable")):
            table = self._connected().describe_table(TableName=self.name)["Table"]
        if table.get("TableStatus") not in ("ACTIVE", "UPDATING"):
            status = str(table.get("TableStatus"))
            raise UnavailableError(f"Table {self.name} in {self._region} is {status}, not ACTIVE", code=status)
        types = {part["AttributeName"]: str(part["AttributeType"]) for part in table["AttributeDefinitions"]}
        return {part["AttributeName"]: types[part["AttributeName"]] for part in table["KeySchema"]}

    def renew_credentials(self) -> None:
        """Look again: a session keeps the credentials it found first, even from a file that has changed since.

        :raises CredentialsError: none are there now; the client stays the one it was
        """
        with self._renewal:
            if self._clock() - self._renewed >= _RENEWAL_SECONDS:
                self._renewed = self._clock()
                with aws_errors(f"Client for table {self.name} in {self._region}"):
                    self._client = self._connect()

    def _connected(self) -> DynamoDBClient:
        """Make the client at the first write: credentials that are not there yet are then waited for."""
        if self._client is None:
            with self._renewal:
                self._client = self._client or self._connect()
        return self._client

    def _connect(self) -> DynamoDBClient:
        client: DynamoDBClient = self._make_session().client(
            "dynamodb", region_name=self._region, endpoint_url=self._endpoint, config=self._config
        )
        for operation in ("BatchWriteItem", "PutItem", "DeleteItem"):
            client.meta.events.register(f"before-call.dynamodb.{operation}", self._swap_body)
            # After credentials were looked up and the request was signed, which may take its time.
            client.meta.events.register(f"before-send.dynamodb.{operation}", self._check_may_write)
        return client

    @contextmanager
    def _raw(self, body: bytes) -> Iterator[None]:
        self._bodies.current = body
        try:
            yield
        finally:
            self._bodies.current = None

    def _swap_body(self, params: dict[str, Any], **_: object) -> None:
        params["body"] = self._bodies.current

    def _check_may_write(self, **_: object) -> None:
        self._may_write()

    def _check_answer(self, operation: str, answer: Mapping[str, Any]) -> None:
        """Refuse to take a proxy's page for a confirmed write: botocore reads any 200 that is no JSON as empty."""
        kind = answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", "json")
        if "json" not in kind:
            message = f"{self._call(operation)}: the answer is none of DynamoDB's (content type {kind})"
            raise UnavailableError(message, code="NotDynamoDB")

    def _call(self, operation: str) -> str:
        return f"{operation} on table {self.name} in {self._region}"


def _matching(changes: Sequence[Change], undone: Sequence[Mapping[str, Any]]) -> list[Change]:
    """The changes whose keys are among BatchWriteItem's UnprocessedItems, as botocore parsed them."""
    names = changes[0].key_names
    by_identity = {change.identity: change for change in changes}
    found = []
    for request in undone:
        item = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
        change = by_identity.get(key_identity({name: _as_json(item[name]) for name in names if name in item}))
        if change is None:
            return list(changes)  # an answer we can't read: writing all of them again does no harm
        found.append(change)
    return found


def _as_json(value: Mapping[str, Any]) -> dict[str, str]:
    ((kind, content),) = value.items()
    return {kind: base64.b64encode(content).decode() if kind == "B" else content}
