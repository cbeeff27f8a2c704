"""The one module that knows AWS's library: sessions, clients, the roles to assume, and what each error means."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
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
from botocore.parsers import ResponseParserFactory

from processor.answers import brief, faults
from processor.errors import ConditionFailedError, CredentialsError, RefusedError, RoleError, UnavailableError
from processor.identity import OWN, SESSION_NAME, Identity
from processor.lease_term import WriteTimeouts
from processor.role import Assumed, Renewal

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
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

# STS's words for a role that will not be given to us as we ask for it (API reference, AssumeRole; common errors).
_ROLE_REFUSED = frozenset({"MalformedPolicyDocument", "RegionDisabledException", "ValidationError"})
# The regions of an STS that serves its whole partition, where an emulator's word or none stands for the region.
_PARTITION_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

_TIMEOUTS = Config(connect_timeout=3, read_timeout=10, user_agent_extra=SESSION_NAME)
# A thread that writes may be the one that renews, and STS is asked again soon.
_STS_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"total_max_attempts": 2, "mode": "standard"},
    user_agent_extra=SESSION_NAME,
)
_WRITE_CONFIG = _TIMEOUTS.merge(
    Config(
        retries={"total_max_attempts": 1},  # apply.py retries, and says so
        parameter_validation=False,
    )
)
_READ_CONFIG = _TIMEOUTS.merge(Config(retries={"total_max_attempts": 3, "mode": "standard"}))

# It writes a trace for each failed renewal of credentials, which role.py and whoever makes the call tell of.
logging.getLogger("botocore.credentials").setLevel(logging.ERROR)


@contextmanager
def aws_errors(call: str, hide: Callable[[str], str] = str) -> Iterator[None]:
    """Turn botocore's exceptions into ours.

    :param call: the call and its object, for the message, as "PutItem on table orders in eu-west-1"
    :param hide: takes out of AWS's words what must not be repeated
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
        message = f"{call}: {brief(code)}: {brief(hide(str(error.get('Message') or 'no reason given')))}"
        if code in REFUSALS or status == TOO_LARGE_STATUS:
            raise RefusedError(message, code=code) from exc
        if code in REJECTED_CREDENTIALS:
            raise CredentialsError(message, code=code) from exc
        if code == "ConditionalCheckFailedException":
            raise ConditionFailedError(message, code=code, found="Item" in exc.response) from exc
        raise UnavailableError(message, code=code) from exc
    except _NotDynamoDBError as exc:
        raise UnavailableError(f"{call}: {exc}", code="NotDynamoDB") from exc
    except _NO_CREDENTIALS as exc:
        raise CredentialsError(f"{call}: {exc}", code=type(exc).__name__) from exc
    except (BotoCoreError, HTTPClientError, OSError) as exc:
        raise UnavailableError(f"{call}: {brief(exc)}", code=type(exc).__name__) from exc


# --- Answers -------------------------------------------------------------------------------------------------------


class _NotDynamoDBError(BotoCoreError):
    fmt = "the answer is none of {whose} ({fault})"


class _CheckedParser:
    """botocore's parser, which takes much for an empty answer, and stumbles over the rest."""

    def __init__(self, parser: Any, protocol: str) -> None:
        self._parser = parser
        self._is_json = protocol == "json"
        self._is_checked = protocol in {"json", "query"}  # DynamoDB and STS
        self._whose = "DynamoDB's" if self._is_json else "AWS's"

    def parse(self, response: dict[str, Any], shape: Any) -> dict[str, Any]:
        good = response["status_code"] < HTTPStatus.MULTIPLE_CHOICES
        try:
            if self._is_json and good:
                msgspec.json.decode(response["body"], type=dict[str, msgspec.Raw])
            parsed: dict[str, Any] = self._parser.parse(response, shape)
            hash(parsed.get("Error", {}).get("Code"))  # else botocore stumbles over it later
        except Exception as exc:
            kind = brief(response["headers"].get("content-type", "none"))
            fault = f"status {response['status_code']}, content type {kind}: {type(exc).__name__}"
            raise _NotDynamoDBError(whose=self._whose, fault=fault) from exc
        wrong = next(faults(parsed, shape), None) if self._is_checked and good and shape is not None else None
        if wrong is not None:
            raise _NotDynamoDBError(whose=self._whose, fault=wrong)
        return parsed


class _CheckedParsers(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> Any:
        return _CheckedParser(super().create_parser(protocol_name), protocol_name)


# --- Clients -------------------------------------------------------------------------------------------------------


def session(identity: Identity = OWN, *, region: str | None = None) -> boto3.Session:
    """An identity's credentials, a role's renewed before they expire.

    :param region: of the calls to be made; STS is asked there, where AWS knows it
    """
    own = _session(profile_name=identity.profile, region_name=region)
    if identity.role_arn is None:
        return own
    if own.get_credentials() is None:
        raise NoCredentialsError
    role_arn, where = identity.role_arn, sts_region(identity, region)
    core = _core()
    core._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]  # noqa: SLF001  # no public way
        method="assume-role", refresh_using=Renewal(role_arn, lambda: _assume(identity, role_arn, where))
    )
    return boto3.Session(botocore_session=core, region_name=region)


def sts_region(identity: Identity, region: str | None) -> str:
    """Where the role of this identity is asked for.

    An emulator's word for a region is none that STS has: then it is the SDK's usual one, or else the partition's.
    """
    if region is not None and is_aws_region(region):
        return region
    usual: str | None = boto3.Session(profile_name=identity.profile).region_name
    return usual or _PARTITION_REGIONS.get(identity.partition, _PARTITION_REGIONS["aws"])


def _assume(identity: Identity, role_arn: str, region: str) -> Assumed:
    """AssumeRole, by credentials that are looked up anew: a file, or the role they come from, may have changed."""
    asked = {"RoleArn": role_arn, "RoleSessionName": identity.session_name}
    if identity.external_id is not None:
        asked["ExternalId"] = identity.external_id
    try:
        with aws_errors(f"AssumeRole on {role_arn} in {region}"):
            client = _session(profile_name=identity.profile).client("sts", region_name=region, config=_STS_CONFIG)
            found = client.assume_role(**asked)["Credentials"]  # type: ignore[arg-type]  # no more than these
    except (CredentialsError, RefusedError) as exc:  # the latter is of a change alone, which would be set aside for it
        raise RoleError(str(exc), code=exc.code) from exc
    except UnavailableError as exc:
        if exc.code in _ROLE_REFUSED:
            raise RoleError(str(exc), code=exc.code) from exc
        raise
    return {
        "access_key": found["AccessKeyId"],
        "secret_key": found["SecretAccessKey"],
        "token": found["SessionToken"],
        "expiry_time": found["Expiration"].isoformat(),
    }


def _core() -> botocore.session.Session:
    made = botocore.session.Session()
    made.register_component("response_parser_factory", _CheckedParsers())
    return made


def _session(**options: str | None) -> boto3.Session:
    return boto3.Session(botocore_session=_core(), **options)


def is_aws_region(region: str) -> bool:
    """Whether a partition of AWS has, or by its pattern may have, a region of that name."""
    try:
        botocore.session.get_session().get_partition_for_region(region)
    except BotoCoreError:
        return False
    return True


def partition_of(region: str) -> str:
    """``aws``, ``aws-cn``, ``aws-us-gov`` and so on; ``aws`` for an emulator's word."""
    try:
        return str(botocore.session.get_session().get_partition_for_region(region))
    except BotoCoreError:
        return "aws"


MakeSession = Callable[[], boto3.Session]


class Clients:
    """The clients of one task, made when first asked for.

    :param connections: calls at once, of each client
    """

    def __init__(self, settings: Settings, *, connections: int = 10) -> None:
        self._settings = settings
        self._config = _READ_CONFIG.merge(Config(max_pool_connections=connections))
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._sessions: dict[tuple[Identity, str], boto3.Session] = {}

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
        """Takes the metrics; in the checkpoint table's region, where KCL's own go."""
        s = self._settings
        return self._client("cloudwatch", s.kcl_region, None, s.task_identity)  # type: ignore[no-any-return]

    def caller(self, profile: str | None = None) -> str:
        """The ARN of whoever has a profile's credentials, or our own: a user's, or of a role's session.

        :raises UnavailableError: STS can't be asked
        """
        who, region = Identity(profile=profile), self._settings.kcl_region
        with aws_errors("GetCallerIdentity"):
            with self._lock:
                client = session(who).client("sts", region_name=sts_region(who, region), config=_READ_CONFIG)
            return client.get_caller_identity()["Arn"]

    def s3(self) -> S3Client:
        """Keeps the dead letters, as the task; made anew at each call, with the credentials that are there by then."""
        return self._s3(self._settings.task_identity, self._settings.kcl_region)

    def export_s3(self) -> S3Client:
        """Looks at the bucket that the source is exported to, as the source, in whose name DynamoDB writes there."""
        return self._s3(self._settings.source_identity, self._settings.source_region)

    def _s3(self, identity: Identity, region: str) -> S3Client:
        # botocore finds a bucket in any other region of the same partition by itself; an emulator's word is no region.
        with self._lock, aws_errors("Client for S3"):
            made = session(identity, region=region if is_aws_region(region) else None)
            return made.client("s3", config=_READ_CONFIG)

    def _client(self, service: str, region: str, endpoint: str | None, identity: Identity) -> Any:
        name = repr((service, region, endpoint, identity))
        with self._lock:  # boto3 sessions are not for several threads at once; clients are
            if name not in self._made:
                with aws_errors(f"Client for {service} in {region}"):
                    who = identity, region
                    made = self._sessions.get(who) or session(identity, region=region)
                    self._sessions[who] = made  # another would read all its data files again
                    self._made[name] = made.client(service, endpoint_url=endpoint, config=self._config)  # type: ignore[call-overload]
            return self._made[name]


def write_client(
    region: str,
    endpoint: str | None,
    *,
    connections: int,
    timeouts: WriteTimeouts,
    make_session: MakeSession = session,
) -> DynamoDBClient:
    """A client that tries once, waits no longer than it may, and leaves its parameters to DynamoDB to check.

    :param connections: calls at once
    """
    config = _WRITE_CONFIG.merge(
        Config(max_pool_connections=connections, connect_timeout=timeouts.connect, read_timeout=timeouts.read)
    )
    with aws_errors(f"Client for dynamodb in {region}"):
        return make_session().client("dynamodb", region_name=region, endpoint_url=endpoint, config=config)


class LeanCalls:
    """A client's calls without what makes them slow, a millisecond each: models, hooks, retries.

    Its endpoint, connections and credentials are used; a call that is answered by anything but success is to be made
    again by the client itself, which knows how to.
    """

    def __init__(self, client: Any) -> None:
        self._endpoint = client._endpoint  # noqa: SLF001  # there is no public way to these three
        self._credentials = client._request_signer._credentials  # noqa: SLF001
        self._signing = client.meta.service_model.signing_name, client.meta.region_name
        metadata = client.meta.service_model.metadata
        self._prefix = metadata["targetPrefix"]
        self._type = f"application/x-amz-json-{metadata['jsonVersion']}"

    def call(self, operation: str, body: bytes) -> bytes | None:
        """Make a call of the JSON protocol once; returns the answer's body, None where it was no success."""
        headers = {"X-Amz-Target": f"{self._prefix}.{operation}", "Content-Type": self._type}
        request = AWSRequest(method="POST", url=self._endpoint.host, data=body, headers=headers)
        try:
            SigV4Auth(self._credentials.get_frozen_credentials(), *self._signing).add_auth(request)
            answer = self._endpoint.http_session.send(request.prepare())
        except (AttributeError, BotoCoreError, HTTPClientError, OSError):  # the first: there are no credentials
            return None
        except (UnavailableError, RefusedError):  # the role's credentials could not be renewed
            return None
        return bytes(answer.content) if answer.status_code == HTTPStatus.OK else None
