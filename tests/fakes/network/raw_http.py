"""HTTP/1.1 for servers that must never be the limit: raw asyncio, a process of its own, DynamoDB's headers and no more.

A service answers ``POST`` by the operation that ``X-Amz-Target`` names, and counts; a ``GET`` gives its counts.
"""

from __future__ import annotations

import asyncio
import collections
import json
import subprocess
import sys
import urllib.request
import zlib
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from processor.startup import java
from tests.fakes.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from typing_extensions import Self

_TARGET = b"\r\nx-amz-target:"
_LENGTH = b"\r\ncontent-length:"
_REASONS = {200: b"OK", 400: b"Bad Request"}


class Service(Protocol):
    """What a server answers."""

    counts: collections.Counter[str]
    delay_seconds: float

    def answer(self, operation: str, body: bytes) -> bytes:
        """A request's whole response, as ``response`` makes it."""


def response(body: bytes, *, status: int = 200) -> bytes:
    """A response as DynamoDB heads it."""
    return (
        b"HTTP/1.1 %d %b\r\nContent-Type: application/x-amz-json-1.0\r\nx-amz-crc32: %d\r\nContent-Length: %d\r\n\r\n%b"
        % (
            status,
            _REASONS[status],
            zlib.crc32(body),
            len(body),
            body,
        )
    )


def refusal(code: str, message: str) -> bytes:
    """An error's whole response."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return response(json.dumps({"__type": kind, "message": message}).encode(), status=400)


class ServerProcess:
    """A server, from outside: ``python -m module``, from entering the context to leaving it."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self.endpoint = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=java.ROOT,
            stdin=subprocess.PIPE,  # its end ends the server
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.endpoint = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def counts(self) -> dict[str, int]:
        """Calls by operation, and whatever else the service counts."""
        with urllib.request.urlopen(self.endpoint, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # a server of our own
            counts: dict[str, int] = json.load(answer)
        return counts


class _Connection(asyncio.Protocol):
    def __init__(self, service: Service) -> None:
        self._service = service
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        while (end := received.find(b"\r\n\r\n")) >= 0:
            head, begin = received[:end].lower(), end + 4
            length = _after(_LENGTH, head, received)
            stop = begin + int(length or 0)
            if len(received) < stop:
                break
            operation = _after(_TARGET, head, received).rpartition(b".")[2].decode()
            body, received = received[begin:stop], received[stop:]
            self._answer(operation, body)
        self._received = received

    def _answer(self, operation: str, body: bytes) -> None:
        service = self._service
        if not operation:
            self._transport.write(response(json.dumps(service.counts).encode()))
            return
        service.counts[operation] += 1
        answer = service.answer(operation, body)
        if service.delay_seconds:
            asyncio.get_running_loop().call_later(service.delay_seconds, self._transport.write, answer)
        else:
            self._transport.write(answer)


def _after(name: bytes, head: bytes, received: bytes) -> bytes:
    """A header's value, as it was received; empty where there is none.

    :param head: in lower case
    """
    begin = head.find(name)
    if begin < 0:
        return b""
    begin += len(name)
    end = head.find(b"\r\n", begin)
    return received[begin : end if end >= 0 else len(head)].strip()


def serve(service: Service) -> None:
    """Serve until standard input ends; the port is the first line of standard output."""
    asyncio.run(_serve(service))


async def _serve(service: Service) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(service), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
