"""A server that keeps every request as it came over the wire, and answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    operation: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpServer:
    """Answers 200 and ``{}``, once ``answers`` (status and content) are used up; ``page`` instead, where it is set."""

    answers: deque[tuple[int, dict[str, Any]]] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    page: bytes | None = None

    def __enter__(self) -> HttpServer:  # noqa: PYI034  # Self came with Python 3.11
        keep = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                operation = self.headers["X-Amz-Target"].split(".")[1]
                keep.requests.append(Request(operation, dict(self.headers), body))
                status, content = keep.answers.popleft() if keep.answers else (200, {})
                answer = keep.page or json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if keep.page else "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"
