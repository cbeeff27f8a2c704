"""What a cell happens in, whatever is replicated: the leases' proxy, the other services, and daemons."""

from __future__ import annotations

import contextlib
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import boto3
import psutil

from processor.startup import java
from tests.fakes.aws.accounts import KEEPER, READER, WRITER
from tests.fakes.aws.fake_sts import Asked, FakeSts
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import FaultyServer
from tests.fakes.streams.stream_record import Item
from tests.faults.cells import Kind
from tests.faults.services import Forwarded, Sts, cloudwatch_operation, s3_operation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self

# Longer than any pause between two tries, on a machine that has more to do.
REST_SECONDS = 120.0
BUCKET = "letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """What all worlds share: a DynamoDB Local, and moto for S3 and CloudWatch; the bucket is there."""

    dynamodb: str
    moto: str


class Options(TypedDict, total=False):
    """What any world may be given.

    ``root``: the checkout whose run.sh is run; ``rest_seconds``: how long the tables may differ after a fault.
    """

    root: Path
    rest_seconds: float


class World(ABC):
    """Serves from entering the context to leaving it, which ends the daemons that still run.

    :param sites: the servers of the tables, by the names of the calls' sites
    :param settings: of the task: its tables, and what it has more than any
    :param root: see ``Options``
    :param rest_seconds: the same
    """

    def __init__(
        self,
        folder: Path,
        servers: Servers,
        kind: Kind,
        *,
        sites: Mapping[str, FaultyServer],
        settings: Mapping[str, str],
        root: Path = java.ROOT,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self.root = root
        self.rest_seconds = rest_seconds
        self.kind = kind
        suffix = uuid.uuid4().hex[:8]
        self.folder = folder / f"{kind}-{suffix}"
        self.task = f"task-{suffix}"
        self.lease_table = f"DynamoDBCrossRegionReplication{self.task}"
        self.daemons: list[Replicator] = []
        self.local: DynamoDBClient = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=servers.dynamodb)
        self.bucket = boto3.client("s3", region_name="us-east-1", endpoint_url=servers.moto)
        leases, s3 = FaultProxy(servers.dynamodb), Forwarded(servers.moto, s3_operation)
        self._sites: dict[str, FaultyServer] = {
            **sites,
            "leases": leases,
            "sts": Sts(FakeSts(dict.fromkeys((READER, WRITER, KEEPER), "ROLE"), expires_in=_expiry)),
            "s3": s3,
            "conflicts": s3,
            "cloudwatch": Forwarded(servers.moto, cloudwatch_operation),
        }
        self._settings = {
            "sourceRegion": "us-east-1",
            "destinationRegion": "eu-west-1",
            "kclEndpoint": leases.endpoint,
            "taskName": self.task,
            **settings,
        }
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for server in dict.fromkeys(self._sites.values()):
            self._stack.enter_context(server)
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in self.daemons:
            thaw(daemon)
            daemon.__exit__()
        self._stack.close()

    def site(self, name: str) -> FaultyServer:
        """The server that a call of that site goes to."""
        return self._sites[name]

    # --- Daemons -----------------------------------------------------------------------------------------------------

    def make(self) -> Replicator:
        """One more daemon, not started yet, as on a machine of its own."""
        self.daemons.append(
            Replicator(self.folder / f"machine-{len(self.daemons) + 1}", self._settings, root=self.root)
        )
        return self.daemons[-1]

    def start(self, daemon: Replicator) -> Replicator:
        """Start it."""
        names = {"sts": "STS", "s3": "S3", "cloudwatch": "CLOUDWATCH"}
        return daemon.start(
            environment={f"AWS_ENDPOINT_URL_{name}": self._sites[site].endpoint for site, name in names.items()}
        )

    # --- The tables --------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def source_table(self) -> str:
        """Its name."""

    @abstractmethod
    def write(self) -> None:
        """A change of each of a few keys, in every shard: puts, and deletes now and then."""

    @abstractmethod
    def write_many(self) -> None:
        """A backlog: a change of each of many keys at once."""

    @abstractmethod
    def sides(self) -> Iterator[tuple[Mapping[str, Item], Mapping[str, Item]]]:
        """What a table must hold in the end, and what it holds, past the proxies; for each that is written to."""

    @abstractmethod
    def unkept(self) -> list[str]:
        """What must be kept beside the tables, and is not."""

    @abstractmethod
    def open_shards(self) -> set[str]:
        """Their ids."""

    @abstractmethod
    def passed_unapplied(self, daemon: Replicator) -> Iterator[str]:
        """What a checkpoint has passed although it is not applied; ``daemon`` has stopped."""

    def lease_rows(self) -> dict[str, dict[str, Any]]:
        """KCL's rows by shard; there are none while there is no table."""
        return self.rows_of(self.lease_table)

    def rows_of(self, lease_table: str) -> dict[str, dict[str, Any]]:
        """The same of one table."""
        pages = self.local.get_paginator("scan").paginate(TableName=lease_table, ConsistentRead=True)
        try:
            return {row["leaseKey"]["S"]: row for page in pages for row in page["Items"]}
        except self.local.exceptions.ResourceNotFoundException:
            return {}

    def names_in_bucket(self, prefix: str) -> list[str]:
        """Of the objects whose names begin so."""
        pages = self.bucket.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]


def freeze(daemon: Replicator) -> None:
    """Stop the JVM and its children where they stand."""
    jvm = psutil.Process(daemon.process.pid)
    for process in (jvm, *jvm.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()


def thaw(daemon: Replicator) -> None:
    """Let them go on; nothing where they run or have ended."""
    with contextlib.suppress(psutil.NoSuchProcess, AssertionError):
        jvm = psutil.Process(daemon.process.pid)
        for process in (*jvm.children(recursive=True), jvm):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


def _expiry(asked: Asked) -> float:
    """Such that each use renews: the Java SDK does in the last two minutes, botocore in the last fifteen."""
    return 120.0 if asked.java else 899.0
