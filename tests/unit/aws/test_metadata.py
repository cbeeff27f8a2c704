"""Metadata services that answer what they should not: credentials that can't be fetched now, and nothing worse."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from processor.aws.errors import aws_errors
from processor.aws.lasting import lasts
from processor.aws.sessions import session
from processor.errors import CredentialsError
from processor.settings.identity import OWN
from tests.fakes.network.flood_server import FLOODS, HEAD, pour
from tests.fakes.network.socket_server import SocketServer, received

SECRET = "a-secret-that-no-message-may-have"
CREDENTIALS = {
    "Code": "Success",
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretAccessKey": SECRET,
    "Token": "token",
    "Expiration": "2099-01-01T00:00:00Z",
}
_GOOD = json.dumps(CREDENTIALS).encode()
_MOST_GROWTH_BYTES = 50 * 1024 * 1024
# For an answer that never ends: the five seconds of a request, of a container's and of its two retries.
_MOST_SECONDS = 60.0


class Metadata(SocketServer):
    """An instance's (IMDS) or a container's (ECS, EKS) service.

    ``body`` are credentials; ``said`` and ``again`` a flood in their place, where there is an ``again``.
    """

    def __init__(self, patch: pytest.MonkeyPatch, kind: str) -> None:
        super().__init__(self._answer)
        self.said: bytes = b""
        self.body = _GOOD
        self.again = b""
        self.asked: list[str] = []
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.delenv(name)
        if kind == "container":
            patch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{self.endpoint}/credentials")
            patch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
        else:
            patch.setenv("AWS_EC2_METADATA_DISABLED", "false")
            patch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.endpoint)

    def _answer(self, connection: socket.socket) -> None:
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                head += received(connection)
            path = head.split(b" ")[1].decode()
            self.asked.append(path)
            if path.endswith("/token"):
                self._send(connection, b"a-token-of-imds")
            elif path.endswith("/security-credentials/"):
                self._send(connection, b"role")
            elif self.again:
                pour(connection, self.said, self.again)
            else:
                self._send(connection, self.body)

    def _send(self, connection: socket.socket, body: bytes) -> None:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.fixture(params=["instance", "container"])
def metadata(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Metadata]:
    """One of each kind, the only place that has credentials."""
    with Metadata(monkeypatch, request.param) as server:
        yield server


def _key() -> str:
    """Whose the next call would be."""
    with aws_errors("The call"):
        return session().get_credentials().get_frozen_credentials().access_key


def _fault() -> str:
    """What is said where there are none; it may pass, so that a start waits and a shard is kept."""
    with pytest.raises(CredentialsError) as caught:
        _key()
    assert not lasts(caught.value, OWN)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_what_it_gives_is_taken(metadata: Metadata) -> None:
    """As AWS's services answer."""
    assert _key() == "ASIAEXAMPLE"
    assert metadata.asked


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_no_answer(metadata: Metadata, name: str) -> None:
    """It ends soon, and takes next to no memory."""
    metadata.said, metadata.again = FLOODS[name]
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    assert "a metadata service's" in _fault()
    assert time.monotonic() - begun < _MOST_SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < _MOST_GROWTH_BYTES


def test_more_than_credentials_can_be_is_no_answer(metadata: Metadata) -> None:
    """Though it ends, and would be read."""
    metadata.body = json.dumps({**CREDENTIALS, "More": "x" * 65536}).encode()
    assert "larger than 64 KB" in _fault()


def test_an_answer_that_drips_ends_with_its_deadline(metadata: Metadata, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then keeps botocore's own timeout waiting for as long as it comes."""
    monkeypatch.setattr("processor.aws.metadata._LEAST_SECONDS", 0.5)
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.RETRY_ATTEMPTS", 1)
    dripped = HEAD + b"Content-Length: 60000\r\n\r\n"

    def drip(connection: socket.socket, _: bytes) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(dripped)
            while True:
                connection.sendall(b" ")
                time.sleep(0.05)

    monkeypatch.setattr(metadata, "_send", drip)
    begun = time.monotonic()
    _ = _fault_or_none()
    assert time.monotonic() - begun < _MOST_SECONDS


def _fault_or_none() -> str:
    """An instance's service that doesn't answer is none, for botocore: there are no credentials then."""
    with pytest.raises(CredentialsError) as caught:
        _key()
    return str(caught.value)


def _without(name: str) -> bytes:
    return json.dumps({key: value for key, value in CREDENTIALS.items() if key != name}).encode()


def _with(name: str, value: object) -> bytes:
    return json.dumps({**CREDENTIALS, name: value}).encode()


STRANGE: dict[str, bytes] = {
    "nested": b'{"AccessKeyId":' * 4000,
    "brackets": b"[" * 60000,
    "a number": b"5",
    "null": b"null",
    "a list": b"[1]",
    "a text": b'"text"',
    "a number for a key": _with("AccessKeyId", 5),
    "null for a secret": _with("SecretAccessKey", None),
    "a list for a token": _with("Token", [SECRET]),
    "no time": _with("Expiration", "tomorrow"),
    "a number for a time": _with("Expiration", 4070908800),
    "a time far away": _with("Expiration", "99999999999999999999"),
    "a time of no zone": _with("Expiration", "2099-01-01T00:00:00"),
    "no UTF-8": b'{"AccessKeyId":"\xff\xfe"}',
    "a page": b"<html>Sign in to the airport's network</html>",
    "nothing": b"",
    "an empty object": b"{}",
    "an empty list": b"[]",
    "a digit's flood": b'{"AccessKeyId":%b}' % (b"9" * 60000),
}
STRANGE |= {f"without {name}": _without(name) for name in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")}


@pytest.mark.parametrize("name", STRANGE)
def test_what_are_no_credentials_are_fetched_again(metadata: Metadata, name: str) -> None:
    """No exception of Python's, which would end a child as a bug; the next look finds those that are there by then."""
    metadata.body = STRANGE[name]
    _fault_or_none()
    metadata.body = _GOOD
    assert _key() == "ASIAEXAMPLE"


@pytest.mark.parametrize("name", ["nested", "without Token", "null for a secret", "a page"])
def test_so_it_is_when_they_are_renewed(
    metadata: Metadata, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A client's own, whose end has come: each call says so until there are good ones again."""
    metadata.body = _with("Expiration", "2001-01-01T00:00:00Z")
    monkeypatch.setattr("botocore.utils.InstanceMetadataFetcher._evaluate_expiration", lambda *_: None)
    credentials = session().get_credentials()
    look: Callable[[], object] = credentials.get_frozen_credentials
    metadata.body = STRANGE[name]
    for _ in range(2):
        with pytest.raises(CredentialsError), aws_errors("The call"):
            look()
    assert SECRET not in caplog.text
