"""A POST to a URL of the user's, with a real server that does what servers do; the URL's secret is in no error."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.aws import webhook
from processor.aws.webhook import Webhook
from processor.errors import UnavailableError
from processor.settings.notify_place import notify_place, notify_uri
from tests.fakes.network.http_server import HttpServer
from tests.fakes.network.listener import Listener
from tests.fakes.network.tls import CertificateAuthority, Tunnels

SECRET = "/services/T0/S3CR3T?key=T0K3N"
BODY = '{"task":"orders","text":"Bücher"}'.encode()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """One that takes whatever is posted."""
    with HttpServer(page=b"ok") as made:
        yield made


def _hook(endpoint: str) -> Webhook:
    place = notify_place(notify_uri(endpoint + SECRET))
    return Webhook(place.url, shown=place.shown)


def _refusal(hook: Webhook) -> str:
    """What is said where it does not get there: the host, and nothing of the rest, in its causes neither."""
    with pytest.raises(UnavailableError) as raised:
        hook.post(BODY)
    error = raised.value
    assert "S3CR3T" not in str(error)
    assert "T0K3N" not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    return str(error)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_what_is_posted_arrives_as_it_is(server: HttpServer, status: int) -> None:
    """JSON, at the very path; any answer that says yes is one."""
    server.status = status
    server.page = b"" if status == 204 else b"ok"
    _hook(server.endpoint).post(BODY)
    (request,) = server.requests
    assert (request.body, request.path) == (BODY, SECRET)
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
def test_any_other_answer_is_a_no(server: HttpServer, status: int) -> None:
    """It is named; what else the answer says may repeat the URL, and is not."""
    server.status, server.page = status, SECRET.encode()
    assert f"it answers {status}" in _refusal(_hook(server.endpoint))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: HttpServer, status: int) -> None:
    """Whoever answers must not choose where the message goes: a metadata service, a port of this machine."""
    with HttpServer(page=b"ok") as other:
        server.status, server.headers = status, {"Location": f"{other.endpoint}/latest/meta-data"}
        assert "Redirects aren't followed" in _refusal(_hook(server.endpoint))
        assert other.requests == []
    assert len(server.requests) == 1


def test_nobody_there() -> None:
    """The system's word for it, without the URL."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        said = _refusal(_hook(f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert said.endswith("no connection (Connection refused)")
    assert "no connection (" in _refusal(_hook("http://nowhere.invalid"))


def test_a_slow_answer_ends_at_its_limit(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a receiver that hangs holds one thread for seconds, and nothing else."""
    may_answer = threading.Event()
    server.before_answer = lambda: may_answer.wait(60)
    monkeypatch.setattr(webhook, "_READ_SECONDS", 0.1)
    assert "no answer" in _refusal(_hook(server.endpoint))
    monkeypatch.setattr(webhook, "_READ_SECONDS", 60)
    monkeypatch.setattr(webhook, "_CALL_SECONDS", 0.1)
    assert "no answer" in _refusal(_hook(server.endpoint))
    may_answer.set()


def test_an_answer_without_end_is_a_no(server: HttpServer) -> None:
    """What it says is thrown away, up to a limit."""
    server.page = b"x" * (webhook._MOST_BYTES + 1)
    assert "does not keep to HTTP, or says too much" in _refusal(_hook(server.endpoint))


def test_a_certificate_must_be_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the authorities of AWS_CA_BUNDLE, as for AWS's own endpoints; no setting turns that off."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "others").mkdir()
    ours, others = CertificateAuthority(tmp_path / "ours"), CertificateAuthority(tmp_path / "others")
    with HttpServer(page=b"ok", tls=ours.server_context()) as server:
        hook = _hook(server.endpoint)
        assert "no TLS connection (certificate not accepted: " in _refusal(hook)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(others.bundle))
        assert "certificate not accepted" in _refusal(hook)
        with pytest.raises(UnavailableError, match="certificate not accepted"):
            hook.reach()
        monkeypatch.setenv("AWS_CA_BUNDLE", str(ours.bundle))
        hook.post(BODY)
        # A certificate of another name.
        port = server.endpoint.rpartition(":")[2]
        assert "certificate not accepted" in _refusal(_hook(f"https://localhost:{port}"))
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
        assert "No such file" in _refusal(hook)
    assert len(server.requests) == 1


def test_a_plain_server_is_no_tls_server(server: HttpServer) -> None:
    """Nothing is sent to it."""
    assert "no TLS connection (" in _refusal(_hook(server.endpoint.replace("http:", "https:")))
    assert server.requests == []


def test_proxies_are_those_of_all_other_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY with its password, by a tunnel; NO_PROXY goes past it."""
    authority = CertificateAuthority(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    asked: list[tuple[str, str | None]] = []
    handler = type("Handler", (Tunnels,), {"asked": asked})
    with (
        HttpServer(page=b"ok", tls=authority.server_context()) as server,
        Listener(handler) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:geheim@127.0.0.1:{proxy.port}")
        _hook(server.endpoint).post(BODY)
        assert [place for place, _ in asked] == [server.endpoint.removeprefix("https://")]
        assert asked[0][1] is not None
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        _hook(server.endpoint).post(BODY)
        assert (len(asked), len(server.requests)) == (1, 2)
    monkeypatch.delenv("NO_PROXY")
    said = _refusal(_hook("https://hooks.example.com"))
    assert "the proxy" in said
    assert "geheim" not in said


@pytest.mark.parametrize("status", [200, 302, 401, 404, 405, 500])
def test_a_look_sends_nothing(server: HttpServer, status: int) -> None:
    """Any answer shows that somebody is there: many receivers know POST alone."""
    server.status = status
    assert _hook(server.endpoint).reach() == status
    (request,) = server.requests
    assert (request.operation, request.body) == ("HEAD", b"")
