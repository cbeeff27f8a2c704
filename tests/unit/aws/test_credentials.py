"""Credentials that are rotated, cut off badly, or not there yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError

from processor.aws.credentials import RENEWAL_SECONDS, RenewedCredentials
from processor.aws.errors import aws_errors
from processor.aws.sessions import session
from processor.aws.timeouts import WriteTimeouts
from processor.errors import CredentialsError, UnavailableError
from processor.replication.writer import WritableTable
from processor.settings.identity import Identity
from tests.fakes.aws.fake_sts import FakeSts
from tests.fakes.dynamodb.changes import put
from tests.fakes.network.http_server import HttpServer

READER = "arn:aws:iam::123456789012:role/reader"
TOKEN = "a-session-token-that-nobody-may-see"


class Found:
    """Looks that find what ``keys`` has by then."""

    def __init__(self, *keys: str | None) -> None:
        self.now = 0.0
        self.keys = list(keys)
        self.looks = 0
        self.credentials = RenewedCredentials(self._look, clock=lambda: self.now)

    def _look(self) -> Credentials | None:
        self.looks += 1
        key = self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]
        return None if key is None else Credentials(key, f"secret-of-{key}")

    @property
    def key(self) -> str:
        """Whose calls are signed now."""
        return self.credentials.get_frozen_credentials().access_key


def _write(file: Path, key: str, profile: str = "default") -> None:
    file.write_text(f"[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = secret-of-{key}\n")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that credentials are in."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path / "credentials"


def _by(server: HttpServer) -> list[str]:
    return [each.headers["Authorization"].partition("Credential=")[2].partition("/")[0] for each in server.requests]


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
@pytest.mark.parametrize("profile", [None, "reader"])
def test_a_call_refused_as_stale_is_made_again_with_the_file_s_new_key(
    file: Path, code: str, profile: str | None
) -> None:
    """By the same client, within the call."""
    _write(file, "OLD", profile or "default")
    with HttpServer() as server:
        client = session(Identity(profile=profile)).create_client("dynamodb", "us-east-1", endpoint_url=server.endpoint)
        client.list_tables()
        _write(file, "NEW", profile or "default")
        server.answers.append((400, {"__type": code}))
        client.list_tables()
        client.list_tables()
    assert _by(server) == ["OLD", "OLD", "NEW", "NEW"]


def test_a_role_s_session_is_assumed_anew_by_new_credentials(file: Path) -> None:
    """Where DynamoDB refuses the session, and STS would refuse who asked for it."""
    _write(file, "OLD")
    roles = {READER: "SESSION1"}
    with HttpServer() as server, FakeSts(roles) as sts, pytest.MonkeyPatch.context() as patch:
        for name, value in sts.environment.items():
            patch.setenv(name, value)
        made = session(Identity(role_arn=READER), region="us-east-1")
        client = made.create_client("dynamodb", "us-east-1", endpoint_url=server.endpoint)
        client.list_tables()
        roles[READER] = "SESSION2"
        sts.stale.add("OLD")
        _write(file, "NEW")
        server.answers.append((400, {"__type": "ExpiredTokenException"}))
        client.list_tables()
    assert _by(server) == ["SESSION1", "SESSION1", "SESSION2"]
    assert [each.by for each in sts.asked] == ["OLD", "NEW"]


def test_a_denial_is_no_rotation(file: Path) -> None:
    """Nothing is looked up, nor tried again, where AWS knows who calls."""
    _write(file, "OLD")
    with HttpServer() as server:
        client = session().create_client("dynamodb", "us-east-1", endpoint_url=server.endpoint)
        _write(file, "NEW")
        client.list_tables()
        server.answers.append((400, {"__type": "AccessDeniedException"}))
        with pytest.raises(CredentialsError), aws_errors("ListTables"):
            client.list_tables()
    assert len(set(_by(server))) == 1


def test_writes_go_on_with_the_new_key(file: Path) -> None:
    """The try after the one that was refused has it, on the same connection."""
    _write(file, "OLD")
    with HttpServer() as server:
        timeouts = WriteTimeouts(connect=3, read=10)
        table = WritableTable("t", region="us-east-1", endpoint=server.endpoint, connections=2, timeouts=timeouts)
        table.write_batch([put("a")])
        _write(file, "NEW")
        server.answers.append((400, {"__type": "UnrecognizedClientException"}))
        with pytest.raises(CredentialsError):
            table.write_batch([put("a")])
        table.write_batch([put("a")])
    assert _by(server) == ["OLD", "OLD", "NEW"]
    assert len({request.port for request in server.requests}) == 1


def test_old_credentials_are_kept_until_others_are_found() -> None:
    """A file that is just being written has none, or those of before."""
    found = Found("OLD", None, "OLD", "NEW")
    assert found.key == "OLD"
    for renewed in (False, False, True):
        assert found.credentials.renew() is renewed
        found.now += RENEWAL_SECONDS
    assert found.key == "NEW"


def test_all_refused_at_once_look_once() -> None:
    """Whoever is refused within the same moments is told what the first has found."""
    found = Found("OLD", "NEW", "NEWER")
    assert found.key == "OLD"
    assert found.credentials.renew()
    assert found.credentials.renew()
    assert (found.looks, found.key) == (2, "NEW")
    assert not found.credentials.renew()
    assert found.looks == 2


def test_credentials_that_come_later_are_found() -> None:
    """A client that was made without any has them once they are there."""
    found = Found(None, "NEW")
    for _ in range(2):
        with pytest.raises(NoCredentialsError):
            _ = found.key
    assert (found.looks, found.credentials.exist()) == (1, False)
    found.now += 2.0
    assert found.key == "NEW"


@pytest.mark.parametrize("has_dependency", [False, True])
def test_a_session_of_aws_login_is_refused_with_its_reason(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_dependency: bool
) -> None:
    """Also where botocore could use it, for the JVM can't; what it lacks is said, and what helps."""
    config = tmp_path / "config"
    config.write_text("[default]\nlogin_session = arn:aws:iam::123456789012:user/me\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert not file.exists()
    if has_dependency:
        keys = Credentials("KEY", "secret", method="login")
        monkeypatch.setattr("botocore.credentials.LoginProvider.load", lambda _: keys)
    client = session().create_client("dynamodb", "us-east-1", endpoint_url="http://127.0.0.1:9")
    remedy = "credential_process = aws configure export-credentials"
    with pytest.raises(CredentialsError, match=remedy) as refused, aws_errors("ListTables"):
        client.list_tables()
    assert ("botocore[crt]" in str(refused.value)) is not has_dependency


@pytest.mark.parametrize("ending", ["\n", "\r\n", " ", "\t\n"])
def test_white_space_around_credentials_is_taken_away(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """As a Kubernetes Secret made of a file has it."""
    for name, value in {"ACCESS_KEY_ID": "KEY", "SECRET_ACCESS_KEY": "secret", "SESSION_TOKEN": TOKEN}.items():
        monkeypatch.setenv(f"AWS_{name}", value + ending)
    with HttpServer() as server:
        session().create_client("dynamodb", "us-east-1", endpoint_url=server.endpoint).list_tables()
    assert server.requests[0].headers["X-Amz-Security-Token"] == TOKEN
    assert _by(server) == ["KEY"]


@pytest.mark.parametrize("inside", ["\n", "\r", " ", "\x00", "é", "\u2028"])
@pytest.mark.parametrize("name", ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"])
def test_what_no_header_can_have_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, inside: str, name: str, writable: Callable[[], WritableTable]
) -> None:
    """By every kind of call; the message names which it is, where it is from, and nothing of it."""
    if inside == "\x00":
        found = RenewedCredentials(lambda: Credentials("KEY", f"secret{inside}{TOKEN}"))
        with pytest.raises(CredentialsError, match="secret key"), aws_errors("call"):
            found.get_frozen_credentials()
        return
    keys = {"ACCESS_KEY_ID": "KEY", "SECRET_ACCESS_KEY": "secret", "SESSION_TOKEN": TOKEN}
    for each, value in (keys | {name: f"{TOKEN}{inside}{TOKEN}"}).items():
        monkeypatch.setenv(f"AWS_{each}", value)
    client = session().create_client("dynamodb", "us-east-1", endpoint_url="http://127.0.0.1:9")
    calls = [client.list_tables, lambda: writable().write_batch([put("a")])]
    for call in calls:
        with pytest.raises(UnavailableError) as refused, aws_errors("call"):
            call()
        assert isinstance(refused.value, CredentialsError)
        assert "has a character that none can have" in str(refused.value)
        assert TOKEN not in str(refused.value)


@pytest.fixture
def writable() -> Callable[[], WritableTable]:
    """A table that nobody serves."""
    timeouts = WriteTimeouts(connect=3, read=10)
    return lambda: WritableTable(
        "t", region="us-east-1", endpoint="http://127.0.0.1:9", connections=1, timeouts=timeouts
    )
