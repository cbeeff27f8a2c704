"""Decides which failures of a call last until a person does something; all others may pass, and are waited for.

A failure is listed here if only a changed permission, key, table, file or setting can end it. Every other failure
(throttling, 5xx, timeouts, refused connections, unknown hosts, answers that are not AWS's, credentials that have
expired or can't be fetched) may pass. Stopping because of one would be for good if nobody looks.
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

# Refusals of credentials that were or will be valid: new ones will come from the same source, and a clock that is wrong
# after a machine's start will be set.
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
# AWS's answer if a signature's time is wrong: "Signature expired: ..." and "Signature not yet current: ...".
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
# What botocore raises about a configuration or an argument, before it calls anything.
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
# Files in which Linux says who makes a virtual machine, readable by everybody. EC2's Nitro has the first, Xen the
# second.
_VENDOR = (Path("/sys/devices/virtual/dmi/id/sys_vendor"), Path("/sys/hypervisor/uuid"))


def lasts(error: UnavailableError | RefusedError, identity: Identity) -> bool:
    """Whether a person must do something before the same call can work.

    :param identity: the identity that made the call
    """
    if error.code == NO_CREDENTIALS:
        return not has_instance_metadata(identity)
    if error.code in _ANSWERS:
        return _WRONG_CLOCK.search(str(error)) is None
    return error.code in CONFIGURATION or error.code == UnusableCredentialsError.__name__


def has_instance_metadata(identity: Identity) -> bool:
    """Whether this machine's own role will give credentials as soon as the metadata service answers.

    botocore raises the same error, that there are no credentials, if the metadata service is unreachable and if the
    machine never had one. A machine has one if it is EC2's, or if the service's address is configured.
    """
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":  # botocore reads it only from the environment
        return False
    return configured(identity, "ec2_metadata_service_endpoint") is not None or any(_is_ec2(path) for path in _VENDOR)


def _is_ec2(path: Path) -> bool:
    try:
        return path.read_text(errors="replace").lower().startswith(("amazon ec2", "ec2"))
    except OSError:
        return False
