"""``AwsCredentialsProvider…``: what KCL can make of it, as KCL's own class says."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from processor.startup import credentials_providers, fact_reader
from processor.startup.credentials_providers import findings
from tests.fakes.task.tasks import task

REGION = "software.amazon.awssdk.regions.Region"
RANDOM = "java.util.Random"
V1 = "com.amazonaws.auth.DefaultAWSCredentialsProviderChain"
ROLE = "StsAssumeRoleCredentialsProvider|arn:aws:iam::111111111111:role/r|session"


def _words(**settings: str) -> dict[str, str]:
    found = list(findings(task(**settings)))
    assert all((each.severity, each.cause) == ("error", "setup") for each in found)
    return {each.object: each.value for each in found}


@pytest.mark.parametrize(
    "value",
    [
        "DefaultCredentialsProvider",
        "software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider",
        "ProfileCredentialsProvider|production",
        "EnvironmentVariableCredentialsProvider, InstanceProfileCredentialsProvider",
        f"{ROLE}|endpointRegion=eu-west-1",
    ],
)
def test_providers_are_taken(value: str) -> None:
    """By short and by whole names, in lists, with arguments."""
    assert _words(AwsCredentialsProvider=value) == {}


@pytest.mark.parametrize(
    ("value", "shown", "words"),
    [
        ("java.util.Random", "java.util.Random", "is no credentials provider"),
        (
            "software.amazon.awssdk.regions.Region",
            "software.amazon.awssdk.regions.Region",
            "is no credentials provider",
        ),
        ("NoSuchProvider", "NoSuchProvider", "is no class"),
        (V1, V1, "is of the AWS SDK for Java 1"),
        ("StaticCredentialsProvider|hush-hush|hush-hush", "StaticCredentialsProvider", "can't be made"),
    ],
)
def test_what_is_no_provider_is_refused(value: str, shown: str, words: str) -> None:
    """Wherever it stands in the list: KCL passes over it in silence. Arguments may be secrets, so none is repeated."""
    found = _words(AwsCredentialsProvider=f"DefaultCredentialsProvider,{value}")
    assert list(found) == [f"AwsCredentialsProvider {shown}"]
    assert words in found[f"AwsCredentialsProvider {shown}"]
    assert "hush" not in str(list(findings(task(AwsCredentialsProvider=value))))


def test_every_such_property_is_looked_at() -> None:
    """In any case of letters, as KCL takes them."""
    found = _words(
        awscredentialsproviderDynamoDB="java.util.Random", AWSCredentialsProviderCloudWatch="java.util.Random"
    )
    assert {each.partition(" ")[2] for each in found} == {"java.util.Random"}
    assert len(found) == 2


def test_a_start_and_check_look_at_it() -> None:
    """Among all that is looked at."""
    found = fact_reader._installation(task(AwsCredentialsProvider="java.util.Random"))
    assert [each.object for each in found] == ["AwsCredentialsProvider java.util.Random"]


def test_nothing_is_started_where_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As nearly always: a start takes no longer for it."""
    monkeypatch.setattr(credentials_providers.subprocess, "run", lambda *_, **__: pytest.fail("Java was started"))
    assert _words(failoverTimeMillis="9000") == {}


def test_java_that_does_not_answer_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be known is not refused."""

    def late(command: list[str], **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr(credentials_providers.subprocess, "run", late)
    (found,) = findings(task(AwsCredentialsProvider="java.util.Random"))
    assert found.severity == "warning"
