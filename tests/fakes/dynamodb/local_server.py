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
_ALL = "moto-all"
_TESTS = Path(__file__).resolve().parents[2]
LEFT_OUT = "needs DynamoDB Local"
# A test that wants one of these wants a server.
_FIXTURES = frozenset({"dynamodb", "servers", "shell"})
_REGION = "moto has tables of a region each"
# Modules below tests/ whose every test has passed on moto's server, but for these, by what moto has otherwise. A module
# that wants a server and is not here is left out: it may stand on what only DynamoDB Local does. TEST_SERVER=moto-all
# leaves out none of them, for whoever proves another one.
_ON_MOTO: dict[str, dict[str, str]] = {
    "protocol/test_batches.py": {},
    "protocol/test_checkpoints.py": {},
    "protocol/test_copy_job.py": {},
    "protocol/test_copy_state.py": {},
    "protocol/test_creation.py": {"test_a_store_without_tags_is_said[local]": "moto has tags"},
    "protocol/test_exchange.py": {"test_what_is_another_one_stays[nothing]": "to moto, NULL is equal to nothing"},
    "protocol/test_heartbeat_writer.py": {},
    "protocol/test_lease_terms.py": {},
    "protocol/test_library_internals.py": {},
    "protocol/test_outages.py": {},
    "protocol/test_preview.py": {},
    "protocol/test_process.py": {},
    "protocol/test_round_trip.py": {},
    "protocol/test_scannable_table.py": {"test_a_start_that_is_no_key": "moto takes any start of a scan"},
    "protocol/test_shared_verify.py": {},
    "protocol/test_write_probe.py": {},
    "scenarios/test_replication.py": {
        "test_a_region_may_be_a_word_that_the_adapter_does_not_know[local]": _REGION,
        "test_a_region_may_be_a_word_that_the_adapter_does_not_know[xx-newest-9]": _REGION,
    },
    "scenarios/test_start.py": {
        "test_a_stream_turned_off_and_on_is_a_gap": "moto takes a stream that is turned off for one that is on",
    },
    "scenarios/test_verify.py": {},
}


class Server(Protocol):
    """One server on this machine."""

    port: int

    @property
    def endpoint(self) -> str:
        """Where it listens."""


def is_moto() -> bool:
    """Whether tests do without DynamoDB Local."""
    wanted = os.environ.get(VARIABLE, "")
    return wanted in ("moto", _ALL) or (not wanted and not (dynamodb_local.FOLDER / ".stamp").exists())


@contextlib.contextmanager
def started(log: Path) -> Iterator[Server]:
    """A server, ended afterwards.

    :param log: its log, a file
    """
    if not is_moto():
        with DynamoDBLocal(log=log) as server:
            yield server
        return
    moto = MotoServer(log=log, python=Path(sys.executable)).start()
    try:
        yield moto.wait()
    finally:
        moto.stop()


def leave_out(items: Iterable[pytest.Item]) -> None:
    """Skip what needs DynamoDB Local, with the reason, where tests do without."""
    for item in items if is_moto() else ():
        if reason := _why_left_out(item):
            item.add_marker(pytest.mark.skip(reason=f"{LEFT_OUT}: {reason}"))


def refuse(_: DynamoDBLocal) -> DynamoDBLocal:
    """In place of ``DynamoDBLocal.start``: whatever starts one of its own is left out, too."""
    pytest.skip(f"{LEFT_OUT}: it starts one of its own")


def _why_left_out(item: pytest.Item) -> str:
    """Why a test of the one server needs DynamoDB Local; empty if it doesn't, or wants no server."""
    if os.environ.get(VARIABLE) == _ALL:
        return ""
    module = item.path.relative_to(_TESTS).as_posix()
    if reason := _ON_MOTO.get(module, {}).get(item.name):  # also of one that asks for the server by another fixture
        return reason
    wants = not _FIXTURES.isdisjoint(getattr(item, "fixturenames", []))
    return "not proven on moto's server" if wants and module not in _ON_MOTO else ""
