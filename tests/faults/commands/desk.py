"""All that a command works on in a cell: two tables, a task's rows and a bucket, each of which goes wrong on demand."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import msgspec

from processor.commands.demo.workload import create_table, scan
from processor.replication.dead_letters.letter import encode
from processor.startup import java
from tests.fakes.machine.command import command, end_of
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import FaultyServer
from tests.fakes.streams.stream_record import Item
from tests.fakes.task.letters import letter
from tests.faults.services import Forwarded, s3_operation
from tests.faults.world import BUCKET, Servers

if TYPE_CHECKING:
    import subprocess

    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self

SITES = ("source", "destination", "leases", "s3")


class Made(NamedTuple):
    """One call that a command makes: where, what, and how often when nothing goes wrong."""

    site: str
    operation: str
    times: int

    @property
    def name(self) -> str:
        """As ``source.Scan``."""
        return f"{self.site}.{self.operation}"


class End(NamedTuple):
    """How a command ended; ``report`` is what ``--json`` has printed, empty where it printed none."""

    status: int
    report: Mapping[str, Any]
    errors: str


class Desk:
    """Serves from entering the context to leaving it, which removes the tables.

    :param root: the checkout whose run.sh is run
    """

    def __init__(self, folder: Path, servers: Servers, *, root: Path = java.ROOT) -> None:
        self._root = root
        suffix = uuid.uuid4().hex[:8]
        self.source_table, self.destination_table = f"source-{suffix}", f"destination-{suffix}"
        self.task = f"task-{suffix}"
        self._folder = folder / self.task
        self._sites: dict[str, FaultyServer] = {
            **{name: FaultProxy(servers.dynamodb) for name in SITES[:3]},
            "s3": Forwarded(servers.moto, s3_operation),
        }
        self.local: DynamoDBClient = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=servers.dynamodb)
        self._s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=servers.moto)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for server in self._sites.values():
            self._stack.enter_context(server)
        create_table(self.local, self.source_table, stream=True)
        create_table(self.local, self.destination_table, stream=False)
        return self

    def __exit__(self, *_: object) -> None:
        for page in self.local.get_paginator("list_tables").paginate():
            for table in page["TableNames"]:
                if table.endswith(self.task) or table in (self.source_table, self.destination_table):
                    self.local.delete_table(TableName=table)
        self._stack.close()

    def site(self, name: str) -> FaultyServer:
        """The server that the calls of ``SITES`` go to."""
        return self._sites[name]

    def calls(self) -> list[Made]:
        """All that were made so far."""
        found = {name: Counter(self._sites[name].received) for name in SITES}
        return [Made(name, operation, times) for name in SITES for operation, times in sorted(found[name].items())]

    # --- The command --------------------------------------------------------------------------------------------------

    def start(self, name: str, options: Sequence[str], **settings: str) -> subprocess.Popen[str]:
        """Start it; its settings are those of this desk's task, and ``settings``."""
        endpoints = {f"{'kcl' if name == 'leases' else name}Endpoint": self._sites[name].endpoint for name in SITES[:3]}
        given = {
            "sourceRegion": "us-east-1",
            "sourceTable": self.source_table,
            "destinationRegion": "eu-west-1",
            "destinationTable": self.destination_table,
            "taskName": self.task,
            "copySegments": "1",
            "logDirectory": str(self._folder),
            **endpoints,
            **settings,
        }
        environment = {"AWS_ENDPOINT_URL_S3": self._sites["s3"].endpoint}
        return command(name, given, *options, "--json", environment=environment, root=self._root)

    # --- What it works on, past the proxies ---------------------------------------------------------------------------

    def put(self, table: str, items: Mapping[str, Item]) -> None:
        """Write items by their ``id``."""
        for item in items.values():
            self.local.put_item(TableName=table, Item=item)

    def source(self) -> dict[str, Item]:
        """What the source holds."""
        return scan(self.local, self.source_table)

    def destination(self) -> dict[str, Item]:
        """What the destination holds."""
        return scan(self.local, self.destination_table)

    @property
    def letters_uri(self) -> str:
        """Where this task's dead letters are."""
        return f"s3://{BUCKET}/{self.task}"

    def put_letter(self, key: str, number: int) -> None:
        """One of a change of ``key``."""
        made = msgspec.structs.replace(
            letter(key, number=number, task_name=self.task, table=self.destination_table), region="eu-west-1"
        )
        name = f"{self.task}/{self.task}/shard-1/{made.name}.json"
        self._s3.put_object(Bucket=BUCKET, Key=name, Body=encode(made))

    def letters(self) -> set[str]:
        """The keys that still have one."""
        listed = self._s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.task}/").get("Contents", [])
        bodies = [self._s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed]
        return {msgspec.json.decode(body)["key"]["id"]["S"] for body in bodies}


def ended(started: subprocess.Popen[str]) -> End:
    """Wait for a command's end.

    :raises AssertionError: it does not end, or its report is not as its schema has it
    """
    status, output, errors = end_of(started)
    return End(status, msgspec.json.decode(output) if output.strip() else {}, errors)
