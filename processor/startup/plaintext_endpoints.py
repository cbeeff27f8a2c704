"""Endpoints without TLS: requests are signed, but what they carry, items and session tokens, is there for all to read.

Pure. Certificates are the SDKs' to check, and no setting turns that off.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from processor.reporting.findings import Finding, error, warning

if TYPE_CHECKING:
    from processor.settings.settings import Settings

# Of AWS's partitions (botocore's partitions.json: dnsSuffix and dualStackDnsSuffix).
AWS_SUFFIXES = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "api.aws",
    "api.aws.hci.ic.gov",
    "api.aws.ic.gov",
    "api.aws.scloud",
    "api.cloud-aws.adc-e.uk",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
    "sc2s.sgov.gov",
)


def is_aws(endpoint: str) -> bool:
    """Whether AWS answers there: not an emulator, or a store that only speaks as AWS does."""
    host = urlsplit(endpoint).hostname or ""
    return any(host == suffix or host.endswith(f".{suffix}") for suffix in AWS_SUFFIXES)


def findings(settings: Settings) -> Iterator[Finding]:
    """An error for each plain endpoint that is AWS's, a warning for each that is no loopback address."""
    given = {
        "destinationEndpoint": settings.destination_endpoint,
        "kclEndpoint": settings.kcl_endpoint,
        "sourceStreamsEndpoint": settings.source_streams_endpoint,
        "sourceEndpoint": settings.source_endpoint,
    }
    # The first of the two is by default what the last is, which then has the name.
    for endpoint, name in {endpoint: name for name, endpoint in given.items()}.items():
        if endpoint is None or urlsplit(endpoint).scheme != "http":
            continue
        host = urlsplit(endpoint).hostname or ""
        if is_aws(endpoint):
            consequence = "Items and session tokens would pass unencrypted to AWS, which has TLS everywhere"
            yield error(f"{name} {endpoint}", "is plain HTTP", consequence, f"Write https://{host}", cause="setup")
        elif not _is_loopback(host):
            consequence = "Items and session tokens pass unencrypted, for whoever is on the way to read"
            yield warning(f"{name} {endpoint}", "is plain HTTP", consequence, "Use https:// where that host has it")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
