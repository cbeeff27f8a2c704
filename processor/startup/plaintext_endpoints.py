"""Endpoints without TLS: requests are signed, but what they carry, items and session tokens, is there for all to read.

Pure. Certificates are the SDKs' to check, and no setting turns that off.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from processor.aws.domains import is_aws
from processor.reporting.findings import Finding, error, warning

if TYPE_CHECKING:
    from processor.settings.settings import Settings


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
            yield error(
                "endpoint-unencrypted-aws",
                f"{name} {endpoint}",
                "is plain HTTP",
                consequence,
                f"Write https://{host}",
                cause="setup",
            )
        elif not _is_loopback(host):
            consequence = "Items and session tokens pass unencrypted, for whoever is on the way to read"
            yield warning(
                "endpoint-unencrypted",
                f"{name} {endpoint}",
                "is plain HTTP",
                consequence,
                "Use https:// where that host has it",
            )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
