"""Which hosts are AWS's own. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

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
