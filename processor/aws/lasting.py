"""Which failures of a call last until a person does something; all others may pass, and are waited for.

A failure is listed here when nothing but a changed permission, key, table, file or setting can end it. Whatever is not
listed (throttling, 5xx, timeouts, refused connections, unknown hosts, answers that are not AWS's, credentials that are
out of date or can't be fetched) may pass, and stopping for it would be for good where nobody looks.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from processor.aws.credentials import UnusableCredentialsError
from processor.aws.errors import REFUSALS, REJECTED_CREDENTIALS
from processor.aws.sessions import configured
from processor.errors import RefusedError, UnavailableError
from processor.settings.identity import Identity

# Refusals of credentials that were good, or will be: new ones come from where the old ones came from, and a clock that
# is wrong after a machine's start is set.
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
# AWS's answer to a signature of another time: "Signature expired: ..." and "Signature not yet current: ...".
_WRONG_CLOCK = re.compile(r"Signature (expired|not yet current)")
_ANSWERS = (
    REFUSALS
    | (REJECTED_CREDENTIALS - EXPIRED)
    | {
        "MalformedPolicyDocument",
        "RegionDisabledException",
        "ResourceNotFoundException",
        "UnknownOperationException",
        "ValidationError",
    }
)
# What botocore says of a configuration or an argument, before it asks anybody.
CONFIGURATION = frozenset(
    {
        "ConfigNotFound",
        "ConfigParseError",
        "DataNotFoundError",
        "EndpointVariantError",
        "InfiniteLoopConfigError",
        "InvalidChecksumConfigError",
        "InvalidConfigError",
        "InvalidDefaultsMode",
        "InvalidEndpointConfigurationError",
        "InvalidEndpointDiscoveryConfigurationError",
        "InvalidEndpointError",
        "InvalidHostLabelError",
        "InvalidIMDSEndpointError",
        "InvalidIMDSEndpointModeError",
        "InvalidMaxRetryAttemptsError",
        "InvalidProxiesConfigError",
        "InvalidRegionError",
        "InvalidRetryConfigurationError",
        "InvalidRetryModeError",
        "InvalidSTSRegionalEndpointsConfigError",
        "LoginAuthorizationCodeError",
        "LoginError",
        "LoginInsufficientPermissions",
        "LoginRefreshRequired",
        "LoginTokenLoadError",
        "MissingDependencyException",
        "NoAuthTokenError",
        "NoRegionError",
        "ParamValidationError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "RefreshWithMFAUnsupportedError",
        "SSOError",
        "SSOTokenLoadError",
        "ServiceNotInRegionError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
        "UnknownCredentialError",
        "UnknownEndpointError",
        "UnknownFIPSEndpointError",
        "UnknownRegionError",
        "UnknownTokenProviderError",
        "ValidationError",
    }
)
NO_CREDENTIALS = "NoCredentialsError"
# Where Linux says whose a virtual machine is, for everybody to read. Nitro's have the first, Xen's the second.
_VENDOR = (Path("/sys/devices/virtual/dmi/id/sys_vendor"), Path("/sys/hypervisor/uuid"))


def lasts(error: UnavailableError | RefusedError, identity: Identity) -> bool:
    """Whether a person must do something before the same call can work.

    :param identity: as whom it was made
    """
    if error.code == NO_CREDENTIALS:
        return not has_instance_metadata(identity)
    if error.code in _ANSWERS:
        return _WRONG_CLOCK.search(str(error)) is None
    return error.code in CONFIGURATION or error.code == UnusableCredentialsError.__name__


def has_instance_metadata(identity: Identity) -> bool:
    """Whether this machine's own role is where credentials come from, once its metadata service answers.

    botocore says the same, that there are no credentials, of a metadata service that is away and of a machine that
    never had one. A machine has one where it is EC2's, or where its address is configured.
    """
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":  # botocore reads it there alone
        return False
    return configured(identity, "ec2_metadata_service_endpoint") is not None or any(_is_ec2(path) for path in _VENDOR)


def _is_ec2(path: Path) -> bool:
    try:
        return path.read_text(errors="replace").lower().startswith(("amazon ec2", "ec2"))
    except OSError:
        return False
