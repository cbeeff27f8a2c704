"""What the console answers: only GET, only by a name that was told, and with headers that keep a browser here."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from processor.commands.console.guard import Guard


def _asked(host: str | None, *, method: str = "GET", address: str = "127.0.0.1", names: tuple[str, ...] = ()) -> Any:
    """The answer's start: status and headers."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001  # ASGI's
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def keep(message: Any) -> None:
        sent.append(message)

    headers = [] if host is None else [(b"host", host.encode())]
    scope = {"type": "http", "method": method, "headers": headers, "path": "/"}
    asyncio.run(Guard(app, address=address, names=names)(scope, None, keep))  # type: ignore[arg-type]
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize(
    ("host", "more", "status"),
    [
        ("127.0.0.1:8080", {}, 200),
        ("localhost:8080", {}, 200),
        ("LOCALHOST.", {}, 200),
        ("[::1]:8080", {}, 200),
        ("evil.example:8080", {}, 421),
        ("localhost.evil.example", {}, 421),
        ("", {}, 421),
        (None, {}, 421),
        ("10.0.0.5:8080", {}, 421),
        ("10.0.0.5:8080", {"address": "10.0.0.5"}, 200),
        ("10.0.0.5:8080", {"address": "0.0.0.0"}, 200),  # noqa: S104
        ("evil.example", {"address": "0.0.0.0"}, 421),  # noqa: S104
        ("[fd00::5]:8080", {"address": "::"}, 200),
        ("replicas.example.com", {"names": ("replicas.example.com",)}, 200),
    ],
)
def test_a_name_that_nobody_told_is_refused(host: str | None, more: dict[str, Any], status: int) -> None:
    """A page of a stranger can make a browser ask for the stranger's name here; an address can't be rebound."""
    assert _asked(host, **more)[0] == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_only_get_is_answered(method: str) -> None:
    """There is nothing to change."""
    status, headers = _asked("localhost", method=method)
    assert (status, headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_a_browser_loads_nothing_from_elsewhere(host: str) -> None:
    """Nor anything inline, nor shows it in a frame; whether it is refused or not."""
    _, headers = _asked(host)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
