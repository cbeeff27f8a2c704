"""The server that the tests' tables are on: DynamoDB Local, or moto's, where that is wanted or the other isn't there.

``TEST_SERVER=moto`` asks for it. It is open source, and another implementation: tests of what only DynamoDB Local does
are left out on it, by name.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from processor.commands.demo import dynamodb_local
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.demo.moto_server import MotoServer

VARIABLE = "TEST_SERVER"
_TESTS = Path(__file__).resolve().parents[2]
LEFT_OUT = "needs DynamoDB Local"
# On tests and modules: that they need it, and why.
MARKER = "dynamodb_local"
# Fixtures that start servers of their own.
_FIXTURES = {
    "servers": "the daemon's scenarios were proven on nothing else",
    "shell": "the page that is followed begins with it",
    "accounts": "it has tables of their own for each access key",
}
# Folders below tests/ that use the one server for more than tables.
_FOLDERS = {"oracle": "it is the oracle", "chaos": "the faults were planned for nothing else"}


class Server(Protocol):
    """One server on this machine."""

    port: int

    @property
    def endpoint(self) -> str:
        """Where it listens."""


def is_moto() -> bool:
    """Whether tests do without DynamoDB Local."""
    wanted = os.environ.get(VARIABLE, "")
    return wanted == "moto" or (not wanted and not (dynamodb_local.FOLDER / ".stamp").exists())


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Server]:
    """A server, ended afterwards.

    :param folder: where its log is
    """
    if not is_moto():
        with DynamoDBLocal(log=folder / "dynamodb-local.log") as server:
            yield server
        return
    moto = MotoServer(log=folder / "moto.log", python=Path(sys.executable)).start()
    try:
        yield moto.wait()
    finally:
        moto.stop()


def leave_out(items: Iterable[pytest.Item]) -> None:
    """Skip what needs DynamoDB Local, with the reason, where tests do without."""
    for item in items if is_moto() else ():
        if reason := _why_left_out(item):
            item.add_marker(pytest.mark.skip(reason=f"{LEFT_OUT}: {reason}"))


def _why_left_out(item: pytest.Item) -> str:
    """Why a test needs DynamoDB Local; empty if it doesn't."""
    for marker in item.iter_markers(MARKER):
        return str(marker.args[0])
    names = getattr(item, "fixturenames", [])
    folder = item.path.relative_to(_TESTS).parts[0]
    if "dynamodb" in names and folder in _FOLDERS:
        return _FOLDERS[folder]
    return next((reason for name, reason in _FIXTURES.items() if name in names), "")
