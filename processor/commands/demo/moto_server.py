"""moto's server as a child process, for a demo without DynamoDB Local: open source, and no JVM of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from pathlib import Path

from processor.commands.demo.dynamodb_local import free_port
from processor.errors import SetupError
from processor.system import program

PYTHON = program.ROOT / ".moto" / "bin" / "python3"
_START_SECONDS = 60.0


class MotoServer:
    """One server, in memory, on a free port of 127.0.0.1. It takes any credentials.

    :param python: the interpreter that finds moto
    """

    def __init__(self, *, log: Path, python: Path = PYTHON) -> None:
        self.port = free_port()
        self._python = python
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> MotoServer:
        """Start it, and return at once; ``wait`` waits."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, "-I", "-m", "moto.server", "--host", "127.0.0.1", "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # as ``dynamodb_local.py``
            )
        return self

    def wait(self) -> MotoServer:
        """Wait until it answers.

        :raises SetupError: it ended, or does not answer in time
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            time.sleep(0.05)
        raise SetupError("moto", f"no answer on port {self.port}", "It can't be used", f"{self._log} says why")

    def stop(self) -> None:
        """End it; what its tables held is gone."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
