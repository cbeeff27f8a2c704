"""Where changes of health are told, and that nobody sees more of a URL than its host."""

from __future__ import annotations

import pytest

from processor.errors import UsageError
from processor.settings.notify_place import notify_place, notify_uri
from tests.fakes.task.tasks import task

TOPIC = "arn:aws-cn:sns:cn-north-1:123456789012:replicas"
HOOK = "https://hooks.example.com/services/T0/S3CR3T?key=T0K3N"


@pytest.mark.parametrize(
    ("uri", "shown", "region"),
    [
        (TOPIC, TOPIC, "cn-north-1"),
        (f"{TOPIC}.fifo", f"{TOPIC}.fifo", "cn-north-1"),
        (HOOK, "https://hooks.example.com", ""),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080", ""),
        ("http://[::1]:8080/x", "http://[::1]:8080", ""),
        ("https://Hooks.Example.com", "https://hooks.example.com", ""),
    ],
)
def test_a_place_is_shown_without_what_may_be_secret(uri: str, shown: str, region: str) -> None:
    """A topic by its ARN, a URL by its scheme and host."""
    found = notify_place(notify_uri(uri))
    assert (found.shown, found.region, found.topic or found.url) == (shown, region, uri)
    assert task(notifyUri=uri).has_caretaker


@pytest.mark.parametrize(
    "uri",
    [
        "arn:aws:sqs:eu-west-1:123456789012:S3CR3T",
        "arn:aws:sns:eu-west-1:123456789012:S3CR3T:subscription",
        "ftp://example.com/S3CR3T",
        "https:///S3CR3T",
        "https://user:S3CR3T@example.com/",
        "https://example.com:S3CR3T/",
        "https://example.com/S3CR3T#part",
        "https://example.com/S3CR3T and more",
        "https://example.com/S3CR3T\u00e9",
        "S3CR3T",
    ],
)
def test_a_refusal_has_nothing_of_the_value(uri: str) -> None:
    """It may be a token with a slip of the pen."""
    with pytest.raises(UsageError) as raised:
        task(notifyUri=uri)
    assert "notifyUri" in str(raised.value)
    assert "S3CR3T" not in str(raised.value)


def test_without_it_nobody_looks_after_the_task() -> None:
    """So nothing costs more than before."""
    assert not task().has_caretaker
