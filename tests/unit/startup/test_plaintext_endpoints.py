"""Endpoints without TLS, and what can't be switched off."""

from __future__ import annotations

import botocore.session
import pytest

from processor.aws.domains import AWS_SUFFIXES
from processor.settings.definitions import DEFINITIONS
from processor.startup import java, plaintext_endpoints
from tests.fakes.task.tasks import task


@pytest.mark.parametrize(
    ("endpoint", "severity"),
    [
        ("http://dynamodb.eu-west-1.amazonaws.com", "error"),
        ("http://dynamodb.cn-north-1.amazonaws.com.cn", "error"),
        ("http://123456789012.ddb.eu-west-1.on.api.aws", "error"),
        ("http://DynamoDB.eu-west-1.AMAZONAWS.com:8000", "error"),
        ("http://scylla.example.org:8000", "warning"),
        ("http://amazonaws.com.example.org", "warning"),
        ("http://10.0.0.7:8000", "warning"),
        ("http://127.0.0.1:8000", None),
        ("http://127.3.2.1:8000", None),
        ("http://[::1]:8000", None),
        ("http://localhost:8000", None),
        ("https://dynamodb.eu-west-1.amazonaws.com", None),
        ("https://scylla.example.org", None),
    ],
)
def test_plain_http(endpoint: str, severity: str | None) -> None:
    """Plain HTTP is for this machine: to AWS it is an error, to anything else a warning; each endpoint is said once."""
    expected = [] if severity is None else [severity]
    assert expected == [found.severity for found in plaintext_endpoints.findings(task(destinationEndpoint=endpoint))]
    assert expected == [found.severity for found in plaintext_endpoints.findings(task(sourceEndpoint=endpoint))]
    assert expected == [
        found.severity for found in plaintext_endpoints.findings(task(kclEndpoint=endpoint, kclRegion="eu-west-3"))
    ]


def test_a_streams_endpoint_of_its_own() -> None:
    """The stream's endpoint counts as the table's does."""
    (found,) = plaintext_endpoints.findings(
        task(sourceStreamsEndpoint="http://streams.dynamodb.eu-west-1.amazonaws.com")
    )
    assert (found.severity, found.object.partition(" ")[0]) == ("error", "sourceStreamsEndpoint")


def test_every_partition_is_known() -> None:
    """Each name that botocore has for AWS's hosts is one of ours."""
    partitions = botocore.session.get_session().get_data("partitions")["partitions"]
    names = {each["outputs"][name] for each in partitions for name in ("dnsSuffix", "dualStackDnsSuffix")}
    assert names <= set(AWS_SUFFIXES)


def test_verification_can_t_be_switched_off() -> None:
    """No setting is about certificates, and nothing in the program turns their verification off."""
    words = ("verify", "insecure", "certificate", "trust", "tls", "ssl")
    names = {each.name for each in DEFINITIONS} - {
        "verifyProcesses",
        "verifyEvery",
        "verifyReadUnits",
        "verifyRepair",
    }  # of comparing tables
    assert not [name for name in names if any(word in name.lower() for word in words)]
    for path in [*(java.ROOT / "processor").rglob("*.py"), *(java.ROOT / "daemon").rglob("*.java")]:
        text = path.read_text()
        for switch in (
            "verify=False",
            "CERT_NONE",
            "TRUST_ALL_CERTIFICATES",
            "_create_unverified_context",
            "trustManager",
        ):
            assert switch not in text, path
