"""Finds endpoints without TLS: their requests are signed, but everybody can read the items and session tokens in them.

Pure. The SDKs check certificates, and no setting turns that off.
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
    """An error for each plain endpoint of AWS's, a warning for each other one that is not a loopback address."""
    given = {
        "destinationEndpoint": settings.destination_endpoint,
        "kclEndpoint": settings.kcl_endpoint,
        "sourceStreamsEndpoint": settings.source_streams_endpoint,
        "sourceEndpoint": settings.source_endpoint,
    }
    # By default the first of the two is the same as the last, and then the last one is named.
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
        elif not is_loopback(host):
            consequence = "Items and session tokens pass unencrypted, for whoever is on the way to read"
            yield warning(
                "endpoint-unencrypted",
                f"{name} {endpoint}",
                "is plain HTTP",
                consequence,
                "Use https:// where that host has it",
            )


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
