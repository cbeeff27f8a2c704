"""A server that keeps every request as it came over the wire, and answers what it is told to."""

from __future__ import annotations

import json
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any

from tests.fakes.network.listener import Listener

_DONE: dict[str, dict[str, Any]] = {"BatchWriteItem": {"UnprocessedItems": {}}}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``path`` as it came, ``port`` the client's."""

    operation: str
    headers: dict[str, str]
    body: bytes
    path: str = "/"
    port: int = 0


@dataclass
class HttpServer:
    """Answers 200 and that all is done, once ``answers`` (status and content) are used up.

    ``page``, or ``page_of`` the request's body: it answers that instead, where it is set. ``headers``: more of each
    answer, or others. ``tls``: it speaks TLS.
    """

    answers: deque[tuple[int, dict[str, Any]]] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    status: int = 200
    page: bytes | None = None
    page_of: Callable[[bytes], bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    before_answer: Callable[[], object] = lambda: None

    def __enter__(self) -> HttpServer:  # noqa: PYI034  # Self came with Python 3.11
        keep = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                keep.requests.append(Request("HEAD", dict(self.headers), b"", self.path, self.client_address[1]))
                keep.before_answer()
                self.send_response(keep.status)
                for name, value in {"Content-Length": "0", **keep.headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
                keep.requests.append(Request(operation, dict(self.headers), body, self.path, self.client_address[1]))
                keep.before_answer()
                status, content = keep.answers.popleft() if keep.answers else (keep.status, _DONE.get(operation, {}))
                page = keep.page if keep.page_of is None else keep.page_of(body)
                answer = json.dumps(content).encode() if page is None else page
                kind = "application/x-amz-json-1.0" if keep.page is None else "text/html"
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Length": str(len(answer)), **keep.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._listener = Listener(Handler, tls=self.tls)
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.stop()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http{'' if self.tls is None else 's'}://127.0.0.1:{self._listener.port}"
