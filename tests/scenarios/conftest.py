"""Two servers for all scenarios, and a pair of tables for each."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from processor.commands.demo.workload import Workload, create_table, scan
from processor.state import leases
from tests.fakes.daemon.fleet import Fleet
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.dynamodb import local_server
from tests.fakes.machine.shell import Shell
from tests.fakes.patience import until

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


MakeFleet = Callable[..., Fleet]


@dataclass(frozen=True, slots=True)
class Servers:
    """Endpoints of the source's and the destination's server."""

    source: str
    destination: str


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Two servers, for the whole session."""
    logs = tmp_path_factory.mktemp("servers")
    with (
        local_server.started(logs / "source.log") as source,
        local_server.started(logs / "destination.log") as destination,
    ):
        yield Servers(source.endpoint, destination.endpoint)


class Pair:
    """A source table with a stream, a destination table, and the settings of a task between them."""

    def __init__(self, servers: Servers) -> None:
        suffix = uuid.uuid4().hex[:8]
        self.source_table, self.destination_table = f"source-{suffix}", f"destination-{suffix}"
        self.source: DynamoDBClient = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=servers.source)
        self.destination: DynamoDBClient = boto3.client(
            "dynamodb", region_name="eu-west-1", endpoint_url=servers.destination
        )
        create_table(self.source, self.source_table, stream=True)
        create_table(self.destination, self.destination_table, stream=False)
        self.settings = {
            "sourceRegion": "us-east-1",
            "sourceTable": self.source_table,
            "sourceEndpoint": servers.source,
            "destinationRegion": "eu-west-1",
            "destinationTable": self.destination_table,
            "destinationEndpoint": servers.destination,
            "taskName": f"task-{suffix}",
        }

    @property
    def checkpoint_table(self) -> str:
        """KCL's lease table."""
        return f"DynamoDBCrossRegionReplication{self.settings['taskName']}"

    @property
    def stream_arn(self) -> str:
        """The source's stream."""
        return self.source.describe_table(TableName=self.source_table)["Table"]["LatestStreamArn"]

    def wait_checkpoint(self) -> str:
        """Until a first batch is checkpointed; returns its sequence number."""

        def stored() -> str | None:
            found = leases.read(self.source, self.checkpoint_table) or []
            return next((lease.checkpoint for lease in found if (lease.checkpoint or "").isdigit()), None)

        return until(stored, "a checkpoint")

    def put(self, key: str, **attributes: Any) -> None:
        """Write one item to the source."""
        self.source.put_item(TableName=self.source_table, Item={"id": {"S": key}, **attributes})

    def delete(self, key: str) -> None:
        """Delete one item from the source."""
        self.source.delete_item(TableName=self.source_table, Key={"id": {"S": key}})

    def replicated(self) -> dict[str, Any]:
        """The destination's items by key."""
        return scan(self.destination, self.destination_table)

    def wait_equal(self) -> None:
        """Until both tables hold the same."""
        until(lambda: scan(self.source, self.source_table) == self.replicated(), "source = destination")

    def wait_for(self, key: str) -> None:
        """Until the destination has an item of that key."""
        until(
            lambda: "Item" in self.destination.get_item(TableName=self.destination_table, Key={"id": {"S": key}}),
            f"{key} at the destination",
        )


@pytest.fixture
def pair(servers: Servers) -> Pair:
    """Fresh tables."""
    return Pair(servers)


@pytest.fixture
def make_pair(servers: Servers) -> Callable[[], Pair]:
    """For tests that want several."""
    return lambda: Pair(servers)


@pytest.fixture
def make_fleet(servers: Servers, tmp_path: Path) -> Iterator[MakeFleet]:
    """Fleets that end with the test."""
    with contextlib.ExitStack() as stack:

        def make(*, shards: int = 8, clock: Callable[[], float] = time.time, **settings: str) -> Fleet:
            made = Fleet(
                tmp_path,
                checkpoints=servers.source,
                destination=servers.destination,
                shards=shards,
                settings=settings,
                clock=clock,
            )
            return stack.enter_context(made)

        yield make


@pytest.fixture
def live(pair: Pair) -> Iterator[Callable[..., Workload]]:
    """Starts live workloads on the source, and ends those that a failing test leaves behind."""
    made: list[Workload] = []

    def start(*, seed: int, pause_seconds: float = 0.01) -> Workload:
        made.append(Workload(pair.source, pair.source_table, seed=seed, pause_seconds=pause_seconds))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.stop()


@pytest.fixture
def replicator(tmp_path: Path) -> Iterator[Callable[..., Replicator]]:
    """Makes replicators, and ends those that a failing test leaves behind."""
    made: list[Replicator] = []

    def make(settings: dict[str, str], *, name: str = "replicator", **options: Any) -> Replicator:
        made.append(Replicator(tmp_path / name, settings, **options))
        return made[-1]

    yield make
    for each in made:
        each.__exit__()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """With a server of its own, since the pages name their tables."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "trial")
    folder = tmp_path / "checkout"
    folder.mkdir()
    with local_server.started(tmp_path / "server.log") as server:
        made = Shell(folder, server)
        yield made
        made.end()
        assert made.left == [], "not typed"
