"""The demo's page: ``run.sh console`` in a process of its own, beside the daemon."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from processor.commands.demo.dynamodb_local import free_port
from processor.reporting import output

_PORT = 8080
# DynamoDB Local costs nothing, so the page may be newer than that of a real task.
_INTERVAL_SECONDS = 1
# For its last look, which is waited for.
_STOP_SECONDS = 10.0


@contextlib.contextmanager
def served_page(arguments: Sequence[str], *, log: Path) -> Iterator[None]:
    """Serve the page meanwhile, and say where it is. At the end its tabs get what is so by then.

    :param arguments: of the command line that names the task
    """
    options = ["--port", str(_free_port()), "--interval", str(_INTERVAL_SECONDS)]
    command = [sys.executable, "-I", "-m", "processor", "console", *arguments, *options]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C is the demo's to act on
        )
    assert process.stdout is not None  # noqa: S101  # a pipe
    try:
        said = process.stdout.readline().strip()
        output.line(said or f"There is no page: {log} says why", flush=True)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _free_port() -> int:
    """The console's own port, or another one where that is taken."""
    with contextlib.closing(socket.socket()) as probe:
        try:
            probe.bind(("127.0.0.1", _PORT))
        except OSError:
            return free_port()
    return _PORT
