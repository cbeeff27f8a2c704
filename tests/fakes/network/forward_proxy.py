"""A proxy as companies have them: absolute URLs for HTTP, CONNECT for HTTPS; it reads what passes, to tell who asked.

::

    with ForwardProxy({"streams.test": "127.0.0.1:8000"}, tls=authority.server_context("*.test")) as proxy:
        proxy.url                       # with its user and password; who comes without them is refused
        proxy.asked                     # each host, with whether it was the JVM that asked

Nobody else knows the hosts' names, so a client that passes the proxy by reaches none of them.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
from base64 import b64encode
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.fakes.network.listener import Listener

if TYPE_CHECKING:
    from typing_extensions import Self

_USER = "user"
_PASSWORD = "proxy-password-of-a-test"
_EXPECTED = f"Basic {b64encode(f'{_USER}:{_PASSWORD}'.encode()).decode()}"
_OF_ONE_CONNECTION = {"connection", "proxy-authorization", "proxy-connection", "transfer-encoding", "content-length"}


class ForwardProxy:
    """Serves from entering the context to leaving it.

    :param hosts: each name that it knows, with where that is
    :param tls: what it speaks after a CONNECT to port 443
    """

    def __init__(self, hosts: Mapping[str, str], *, tls: ssl.SSLContext) -> None:
        self.hosts = hosts
        self.tls = tls
        self.asked: set[tuple[str, bool]] = set()
        self.unknown: set[str] = set()

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._listener = Listener(handler)
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()

    @property
    def url(self) -> str:
        """As HTTPS_PROXY and HTTP_PROXY have it."""
        return f"http://{_USER}:{_PASSWORD}@127.0.0.1:{self._listener.port}"

    def hosts_asked(self, *, java: bool) -> set[str]:
        """By the JVM, or by Python."""
        return {host for host, by_java in self.asked.copy() if by_java == java}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: ForwardProxy
    server: Listener
    inside: str | None = None  # the host of the tunnel that this connection has become

    def finish(self) -> None:
        """Close what a tunnel was made of, too."""
        super().finish()
        self.connection.close()

    def do_CONNECT(self) -> None:
        if not self._is_let_in():
            return
        host, _, port = self.path.partition(":")
        self.send_response(200)
        self.end_headers()
        if port == "443":
            with contextlib.suppress(OSError):
                self.connection = self.proxy.tls.wrap_socket(self.connection, server_side=True)
                self.server.keep(self.connection)
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)  # type: ignore[assignment]  # as the base class's
        self.inside, self.close_connection = host, False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.inside is None and not self._is_let_in():
            return None
        host = self.inside or urlsplit(self.path).hostname or ""
        upstream = self.proxy.hosts.get(host)
        if upstream is None:
            self.proxy.unknown.add(host)
            return self._answer(502, b"", {})
        self.proxy.asked.add((host, "aws-sdk-java" in self.headers.get("User-Agent", "")))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
        with contextlib.closing(http.client.HTTPConnection(upstream, timeout=60)) as there:
            there.request("POST", urlsplit(self.path).path or "/", body=body, headers=headers)
            response = there.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _OF_ONE_CONNECTION}
            return self._answer(response.status, response.read(), kept)

    def _is_let_in(self) -> bool:
        if self.headers.get("Proxy-Authorization") == _EXPECTED:
            return True
        self._answer(407, b"", {"Proxy-Authenticate": 'Basic realm="test"'})
        return False

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
