"""Makes sessions, which hold an identity's credentials, and assumes its role.

The daemon's half asks STS on its own: ``Identity.java``. What is changed here belongs there, too.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials, DeferredRefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    MissingDependencyException,
    NoCredentialsError,
    ProfileNotFound,
)
from botocore.session import Session

from processor.aws.checked_parser import CheckedParsers
from processor.aws.connections import bound
from processor.aws.credentials import LookUp, RenewedCredentials, UnusableCredentialsError
from processor.aws.errors import DENIALS, aws_errors
from processor.aws.metadata import bound_metadata
from processor.aws.role_credentials import Assumed, Renewal
from processor.aws.service_models import model_loader
from processor.errors import CredentialsError, RefusedError, RoleError, UnavailableError
from processor.settings.identity import OWN, SESSION_NAME, Identity

# STS's codes if it will never give us the role on this request (API reference, AssumeRole; common errors).
_ROLE_REFUSED = frozenset({"MalformedPolicyDocument", "RegionDisabledException", "ValidationError"})
# STS's codes in a region that is not enabled: the second if it knows only the accounts that have enabled it.
_NOT_IN_REGION = frozenset({"RegionDisabledException", "InvalidClientTokenId"})
# Both halves of a task must find the same credentials.
_NO_LOGIN = (
    "The daemon's Java can't use a session of aws login (login_session in the profile). Name a profile that has "
    "credential_process = aws configure export-credentials --profile NAME --format process"
)
# The region of each partition's own STS, used if the region is an emulator's word or missing.
_PARTITION_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

# Short, because a writing thread may be the one that renews, and STS is asked again soon.
_STS_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"total_max_attempts": 2, "mode": "standard"},
    user_agent_extra=SESSION_NAME,
)

# For each attempt of a call, all of its steps together; ``Identity.java`` has the same for a whole call.
_STS_SECONDS = 10.0

# botocore logs a traceback for each failed renewal of credentials. role_credentials.py and the caller report it
# instead.
logging.getLogger("botocore.credentials").setLevel(logging.ERROR)


class RenewedSession(Session):
    """A session whose clients look their credentials up again when these are refused as stale.

    :param look_up: finds the credentials
    """

    def __init__(self, profile: str | None, look_up: LookUp) -> None:
        super().__init__(profile=profile)
        self._renewed = RenewedCredentials(look_up)
        self.register("needs-retry", self._renewed.retry)  # type: ignore[arg-type]  # that handlers answer is not in their type

    def get_credentials(self) -> RenewedCredentials:
        """The credentials of every client of this session, whether any have been found yet or not."""
        return self._renewed


def session(identity: Identity = OWN, *, region: str | None = None) -> Session:
    """A session with an identity's credentials. A role's are renewed before they expire, and all when refused as stale.

    :param region: the region of the calls to be made
    """
    own = RenewedSession(identity.profile, lambda: _found(identity.profile))
    _equip(own, region)
    if identity.role_arn is None:
        return own
    role_arn = identity.role_arn

    def assumed() -> Credentials:
        if not own.get_credentials().exist():
            raise NoCredentialsError
        ask = Renewal(role_arn, lambda: _assume(identity, role_arn, region))
        return DeferredRefreshableCredentials(method="assume-role", refresh_using=ask)

    made = RenewedSession(identity.profile, assumed)  # the profile's endpoints are followed, too
    _equip(made, region)
    return made


def configured(identity: Identity, name: str) -> str | None:
    """The value of one of botocore's variables, from the environment or the configuration files."""
    value: str | None = _session(identity.profile).get_config_variable(name)
    return value


def sts_region(identity: Identity, region: str | None) -> str:
    """The region whose STS is asked for this identity's role.

    It is the first of these that can be used:

    1. ``stsRegion``.
    2. The region that the SDK is configured for, if the role's partition has it. This is the caller's own region, while
       the STS of the table's region may refuse the caller, whose account may not have enabled that region.
    3. The table's region, if it is one of AWS's and not an emulator's word.
    4. The main region of the role's partition.

    :param region: the region of the calls to be made
    """
    if identity.sts_region is not None:
        return identity.sts_region
    for usual in _usual_regions(identity.profile):
        fits = identity.role_arn is None or identity.partition == partition_of(usual)
        if fits and is_aws_region(usual):
            return usual
    if region is not None and is_aws_region(region):
        return region
    return _PARTITION_REGIONS.get(identity.partition, _PARTITION_REGIONS["aws"])


def _usual_regions(profile: str | None) -> Iterator[str]:
    """The regions that the SDKs are configured for; Java's SDK has a variable of its own."""
    try:
        made = _session(profile)
        # A profile that was named fits its credentials better than the environment does.
        named = made.get_scoped_config().get("region") if profile else None
        found = (named, os.environ.get("AWS_REGION"), made.get_config_variable("region"))
    except ProfileNotFound:  # reported by whoever uses the profile
        return
    yield from (str(region) for region in found if region)


def sts_client(identity: Identity, region: str | None) -> Any:
    """A client with which to ask for an identity's role; it looks its credentials up again.

    :param region: the region of the calls to be made as this identity
    """
    where = sts_region(identity, region)
    with aws_errors(f"Client for sts in {where}"):
        return _session(identity.profile).create_client("sts", region_name=where, config=_STS_CONFIG)


def _assume(identity: Identity, role_arn: str, region: str | None) -> Assumed:
    """AssumeRole, with credentials that are looked up again: a file, or the role behind them, may have changed."""
    asked = {"RoleArn": role_arn, "RoleSessionName": identity.session_name}
    if identity.external_id is not None:
        asked["ExternalId"] = identity.external_id
    try:
        client = sts_client(identity, region)
        with aws_errors(f"AssumeRole on {role_arn} in {client.meta.region_name}"):
            found = client.assume_role(**asked)["Credentials"]
    except (CredentialsError, RefusedError) as exc:  # left as RefusedError, a change would be set aside because of it
        raise _refused(exc) from exc
    except UnavailableError as exc:
        if exc.code in _ROLE_REFUSED:
            raise _refused(exc) from exc
        raise
    return {
        "access_key": found["AccessKeyId"],
        "secret_key": found["SecretAccessKey"],
        "token": found["SessionToken"],
        "expiry_time": found["Expiration"].isoformat(),
    }


def _refused(error: CredentialsError | RefusedError | UnavailableError) -> RoleError:
    elsewhere = ""
    if error.code in _NOT_IN_REGION:
        elsewhere = ". If that region is not enabled for the caller's account, name another one in stsRegion"
    return RoleError(f"{error}{elsewhere}", code=error.code, is_denial=error.code in DENIALS)


class _OwnSession(Session):
    """A session whose clients are limited, including those with which botocore itself fetches credentials."""

    _is_metadata_bound = False

    def create_client(self, *args: Any, **options: Any) -> Any:
        """See the base class."""
        return bound(super().create_client(*args, **options), _STS_SECONDS)

    def get_credentials(self) -> Any:
        """See the base class."""
        if not self._is_metadata_bound:
            self._is_metadata_bound = True
            bound_metadata(self.get_component("credential_provider"))
        return super().get_credentials()


def _session(profile: str | None = None, region: str | None = None) -> Session:
    """A session of botocore's own kind, which keeps the credentials that it finds."""
    made = _OwnSession(profile=profile)
    _equip(made, region)
    return made


def _found(profile: str | None) -> Credentials | None:
    """The credentials that can be found now.

    :raises BotoCoreError: they can't be used
    """
    try:
        found = _session(profile).get_credentials()
    except MissingDependencyException as exc:
        raise UnusableCredentialsError(provider="login", error_msg=f"{exc}. {_NO_LOGIN}") from exc
    if found is not None and found.method == "login":
        raise UnusableCredentialsError(provider="login", error_msg=_NO_LOGIN)
    return found


def _equip(made: Session, region: str | None) -> None:
    made.register_component("response_parser_factory", CheckedParsers())
    made.register_component("data_loader", model_loader(made.get_config_variable("data_path")))
    if region is not None:
        made.set_config_variable("region", region)
    # DynamoDB also has account-based endpoints. Only the Python half would find them, so they are used only on request.
    if made.get_config_variable("account_id_endpoint_mode") != "required":
        made.set_config_variable("account_id_endpoint_mode", "disabled")


def is_aws_region(region: str) -> bool:
    """Whether a partition of AWS has a region of that name, or may have one by its pattern."""
    try:
        botocore.session.get_session().get_partition_for_region(region)
    except BotoCoreError:
        return False
    return True


def partition_of(region: str) -> str:
    """``aws``, ``aws-cn``, ``aws-us-gov`` and so on; ``aws`` if the region is an emulator's word."""
    try:
        return str(botocore.session.get_session().get_partition_for_region(region))
    except BotoCoreError:
        return "aws"


MakeSession = Callable[[], Session]
