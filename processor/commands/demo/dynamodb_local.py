"""DynamoDB Local as a child process, for the demo and the tests."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from urllib.error import HTTPError
from urllib.request import urlopen

from processor.errors import SetupError
from processor.flow.chance import CHANCE
from processor.startup import java

FOLDER = java.JARS / "dynamodb-local"
_START_SECONDS = 180.0
# Below the ports that systems give to outgoing connections (Linux: from 32768): one of those may be taken before it is
# used, and a client that calls one on which nobody listens may be connected to itself.
_PORTS = range(10_000, 30_000)
# Of ports that were given out last: whoever was given an earlier one listens by now.
_MOST_CLAIMS = 200
_claims: deque[int] = deque()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now, and that no outgoing connection will be given.

    Nor is it soon given out a second time, here or in another process: a server that is slow to listen would find
    another one there, and its clients would take the other's answers for its own.
    """
    while True:
        port = CHANCE.choice(_PORTS)
        with contextlib.suppress(OSError), contextlib.closing(socket.socket()) as probe, _claim(port) as claim:
            probe.bind(("127.0.0.1", port))
            _claims.append(claim.detach())  # it stays open
            if len(_claims) > _MOST_CLAIMS:
                os.close(_claims.popleft())
            return port


def _claim(port: int) -> socket.socket:
    """UDP's port of that number, which nobody else can have meanwhile, and which no server of ours uses.

    :raises OSError: somebody has it
    """
    claim = socket.socket(type=socket.SOCK_DGRAM)
    try:
        claim.bind(("127.0.0.1", port))
    except OSError:
        claim.close()
        raise
    return claim


class DynamoDBLocal:
    """One server, in memory, on a free port of 127.0.0.1. It takes any credentials made of letters and digits.

    :param shared: one set of tables for everybody; otherwise each access key has its own in each region, like accounts
    """

    def __init__(self, *, log: Path, port: int | None = None, shared: bool = True) -> None:
        self.port = port or free_port()
        self._shared = ["-sharedDb"] if shared else []
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> DynamoDBLocal:
        """Start it, and return at once; ``wait`` waits.

        :raises SetupError: its jars are missing
        """
        if not (FOLDER / ".stamp").exists():
            value = f"its jars are not in {FOLDER}"
            raise SetupError("DynamoDB Local", value, "It can't be started", "Run ./setup.sh dynamodb-local")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    java.executable(),
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Xmx512m",
                    f"-Djava.library.path={FOLDER}",
                    "-cp",
                    f"{FOLDER}/*",
                    "replicator.LoopbackServer",
                    "-inMemory",
                    *self._shared,
                    "-disableTelemetry",
                    "-port",
                    str(self.port),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is the demo's to act on: the tables must outlive the replicator
            )
        return self

    def wait(self) -> DynamoDBLocal:
        """Wait until it answers.

        :raises SetupError: it ended, or does not answer in time
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            try:
                with urlopen(self.endpoint, timeout=1):  # noqa: S310  # a server of our own
                    return self
            except HTTPError:
                return self  # it answers that it wants a signed request
            except OSError:
                time.sleep(0.05)
        raise SetupError(
            "DynamoDB Local", f"no answer on port {self.port}", "It can't be used", f"{self._log} says why"
        )

    def stop(self) -> None:
        """End it; what its tables held is gone."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> DynamoDBLocal:  # noqa: PYI034  # Self came with Python 3.11
        return self.start().wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
