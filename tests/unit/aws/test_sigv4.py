"""Requests are signed as botocore signs them."""

from __future__ import annotations

import datetime as dt
from unittest import mock

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from processor.aws.sigv4 import Signer

KEYS = ReadOnlyCredentials("AKIDEXAMPLE", "wJalr/K7+secret=", None)
TEMPORARY = ReadOnlyCredentials("ASIAEXAMPLE", "another", "FQoG/token+/==")
TYPE, TARGET = "application/x-amz-json-1.0", "DynamoDB_20120810.BatchWriteItem"


def _by_botocore(url: str, keys: ReadOnlyCredentials, body: bytes, at: dt.datetime) -> dict[str, str]:
    request = AWSRequest("POST", url, headers={"Content-Type": TYPE, "X-Amz-Target": TARGET}, data=body)
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=at):
        botocore.auth.SigV4Auth(keys, "dynamodb", "eu-west-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.mark.parametrize("body", [b"{}", b'{"id":"\xc3\xa9"}'])
@pytest.mark.parametrize("keys", [KEYS, TEMPORARY], ids=["lasting", "temporary"])
@pytest.mark.parametrize(
    ("host", "path"), [("dynamodb.eu-west-1.amazonaws.com", "/"), ("h:8000", "/"), ("[::1]:8000", "/a/b~c")]
)
def test_the_signature_is_botocores(host: str, path: str, keys: ReadOnlyCredentials, body: bytes) -> None:
    """Every header that botocore's signer adds is the same, whatever the endpoint, the credentials and the body."""
    at = dt.datetime(2026, 1, 31, 23, 59, 59, tzinfo=dt.timezone.utc)
    made = Signer(host=host, path=path, region="eu-west-1", service="dynamodb").headers(
        keys, content_type=TYPE, target=TARGET, body=body, at=at.timestamp()
    )
    assert made.pop("Host") == host
    assert _by_botocore(f"http://{host}{path}", keys, body, at) == {n.lower(): value for n, value in made.items()}


def test_the_days_key_is_of_its_day_and_secret() -> None:
    """One signer signs on after midnight, and with other credentials."""
    signer = Signer(host="h:8000", path="/", region="eu-west-1", service="dynamodb")
    midnight = dt.datetime(2026, 2, 1, tzinfo=dt.timezone.utc)
    for seconds in (-1, 0, 1):
        for keys in (KEYS, TEMPORARY, KEYS):
            at = midnight + dt.timedelta(seconds=seconds)
            made = signer.headers(keys, content_type=TYPE, target=TARGET, body=b"{}", at=at.timestamp())
            assert made["Authorization"] == _by_botocore("http://h:8000/", keys, b"{}", at)["authorization"]
