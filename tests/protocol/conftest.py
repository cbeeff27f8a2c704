"""A child behind the fault proxy, with its settings in the words of their users."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from processor.cli import arguments
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.conftest import REGION
from tests.fakes.daemon.fake_daemon import FakeDaemon
from tests.fakes.dynamodb.time_to_live import answer_ttl
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.streams.stream_record import Item

if TYPE_CHECKING:
    from tests.protocol.test_verify import Pair

MODES = ("batch", "item")
TASK_NAME = "protocol-tests"


def item(name: str, **attributes: Any) -> Item:
    """An item of a table with the string key ``id``; without attributes also a key."""
    return {"id": {"S": name}, **attributes}


def items(count: int) -> list[Item]:
    """That many, in the order of ``Tables.items``."""
    return [item(f"{number:02}", payload={"S": f"payload of {number}"}) for number in range(count)]


class Start(Protocol):
    """Starts a child for ``table`` and gives it its shard; ``changed`` are settings by their public names."""

    def __call__(
        self, table: str, *, script: Path | None = None, environment: Any = None, **changed: str
    ) -> FakeDaemon:
        """Leave its end to the fixture."""


@pytest.fixture
def proxy(dynamodb: DynamoDBLocal) -> Iterator[FaultProxy]:
    """What the children take for DynamoDB."""
    with FaultProxy(dynamodb.endpoint) as made:
        yield made


@pytest.fixture
def start(proxy: FaultProxy, tmp_path: Path) -> Iterator[Start]:
    """Children that end with the test."""
    with contextlib.ExitStack() as stack:

        def make(
            table: str,
            *,
            script: Path | None = None,
            environment: Any = None,
            forked: bool = True,
            **changed: str,
        ) -> FakeDaemon:
            given = {
                "sourceRegion": REGION,
                "sourceTable": "source",
                "destinationRegion": REGION,
                "destinationTable": table,
                "destinationEndpoint": proxy.endpoint,
                "taskName": TASK_NAME,
                # A call may take minutes: none is given up because the machine is busy, or holds one for the test.
                "failoverTimeMillis": "600000",
                **changed,
            }
            made = arguments.load(
                arguments=[f"--{name}={value}" for name, value in given.items()],
                properties="",
                environment={},
                directory=tmp_path,
                log_directory=tmp_path,
                made=arguments.parser("tests", "tests"),
            )
            daemon = stack.enter_context(
                FakeDaemon(made, tmp_path, script=script, environment=environment, forked=forked and script is None)
            )
            daemon.initialize()
            return daemon

        yield make


@pytest.fixture
def proxied(pair: Pair, dynamodb: DynamoDBLocal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """The test's pair, with TTL on ``expires`` in both tables, and a key for masks."""
    monkeypatch.setenv("VERIFY_MASK_KEY", "0123456789abcdef" * 4)
    with FaultProxy(dynamodb.endpoint) as proxy:
        pair.settings |= {"sourceEndpoint": proxy.endpoint, "destinationEndpoint": proxy.endpoint}
        answer_ttl(proxy)
        yield pair
