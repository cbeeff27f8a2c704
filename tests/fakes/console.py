"""``./run.sh console`` as a process, and its page's events as a tab reads them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from processor.startup import java
from tests.fakes.patience import PATIENCE_SECONDS


class Console:
    """One that listens on a port of its own.

    :param words: files or directories, and settings
    :param directory: in which it is given
    """

    def __init__(
        self, *words: str, environment: Mapping[str, str] | None = None, directory: Path | None = None, **settings: str
    ) -> None:
        given = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [str(java.ROOT / "run.sh"), "console", *words, *given, "--port", "0"],
            cwd=directory,
            env=os.environ | dict(environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.said = self._process.stdout.readline()
        assert " is at http://" in self.said, self._process.communicate(timeout=PATIENCE_SECONDS)
        self.address = self.said.split(" is at ")[1].split()[0]

    @staticmethod
    def refused(*words: str) -> tuple[int, str]:
        """One that does not begin: its exit status, and what it says."""
        command = [str(java.ROOT / "run.sh"), "console", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
        return done.returncode, done.stderr

    def send(self, number: signal.Signals) -> None:
        """Send it one."""
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """End it by a signal; its exit status, and what it has said on standard error."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        _, errors = self._process.communicate(timeout=PATIENCE_SECONDS)
        return self._process.returncode, errors

    def __enter__(self) -> Console:  # noqa: PYI034  # Self came with Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def connection(self) -> http.client.HTTPConnection:
        """To ask it for something."""
        return http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=PATIENCE_SECONDS)

    def status(self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> int:
        """What it answers."""
        with contextlib.closing(self.connection()) as connection:
            connection.request(method, path, headers=dict(headers or {}))
            return connection.getresponse().status

    @contextlib.contextmanager
    def tab(self, topic: str = "") -> Iterator[Iterator[tuple[str, Any]]]:
        """The events of one tab, each with its name, as long as it is open."""
        with contextlib.closing(self.connection()) as connection:
            connection.request("GET", f"/events?task={topic}")
            answer = connection.getresponse()
            assert answer.status == 200
            yield _events(answer)

    def page(self, topic: str = "", **wanted: Any) -> dict[str, Any]:
        """The first page of a look whose verdict is as wanted."""
        with self.tab(topic) as events:
            for name, content in events:
                if (
                    name == "page"
                    and wanted.items() <= content["verdict"].items()
                    and content["verdict"]["word"] != "Looking"
                ):
                    page: dict[str, Any] = content
                    return page
        raise AssertionError("the stream has ended")


def _events(answer: IO[bytes]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer:
        key, _, value = line.decode().rstrip("\n").partition(": ")
        if key == "event":
            name = value
        elif key == "data":
            yield name, json.loads(value)
