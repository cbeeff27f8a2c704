"""All that a cell happens in: a simulated source, proxies before DynamoDB Local, the other services, and daemons."""

from __future__ import annotations

import contextlib
import itertools
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import psutil

from processor.startup import java
from tests.fakes.aws.accounts import KEEPER, READER, WRITER
from tests.fakes.aws.fake_sts import Asked, FakeSts
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import FaultyServer
from tests.fakes.streams.stream_record import Item
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.faults.cells import Kind
from tests.faults.services import Forwarded, Sts, cloudwatch_operation, s3_operation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self

SHARDS = 2
# Longer than any pause between two tries, on a machine that has more to do.
REST_SECONDS = 120.0
BUCKET = "letters"
# The destination has an index on it that wants a string: a number there is refused.
INDEXED = "code"
_KEYS = tuple(f"key-{number}" for number in range(8))
_DELETED = _KEYS[-2:]  # every other time
REFUSED = "refused"
_BACKLOG: dict[Kind, int] = {"plain": 2400, "item": 400, "roles": 400, "metrics": 400, "letters": 400}
# What the task has more than any: few tests can wait for KCL's metrics for ten seconds.
_SETTINGS: dict[Kind, dict[str, str]] = {
    "plain": {},
    "item": {"writeMode": "item"},
    "roles": {"sourceRoleArn": READER, "destinationRoleArn": WRITER, "kclRoleArn": KEEPER},
    "metrics": {"dontPublishCloudwatch": "false", "metricsBufferTimeMillis": "1000"},
    "letters": {"onError": "deadLetter", "deadLetterUri": f"s3://{BUCKET}/here"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """What all worlds share: a DynamoDB Local, and moto for S3 and CloudWatch; the bucket is there."""

    dynamodb: str
    moto: str


class World:
    """Serves from entering the context to leaving it, which ends the daemons that still run.

    :param root: the checkout whose run.sh is run
    :param rest_seconds: how long the tables may differ after a fault
    :param settings: of the task, on top of what it needs
    """

    def __init__(
        self,
        folder: Path,
        servers: Servers,
        kind: Kind,
        *,
        root: Path = java.ROOT,
        rest_seconds: float = REST_SECONDS,
        **settings: str,
    ) -> None:
        self.root = root
        self.rest_seconds = rest_seconds
        suffix = uuid.uuid4().hex[:8]
        self.folder = folder / f"{kind}-{suffix}"
        self.kind = kind
        self.simulator = StreamsSimulator(shards=SHARDS, seed=1, table=f"source-{suffix}")
        self.leases = FaultProxy(servers.dynamodb)
        self.destination = FaultProxy(servers.dynamodb)
        self.sts = Sts(FakeSts(dict.fromkeys((READER, WRITER, KEEPER), "ROLE"), expires_in=_expiry))
        self.s3 = Forwarded(servers.moto, s3_operation)
        self.cloudwatch = Forwarded(servers.moto, cloudwatch_operation)
        self.daemons: list[Replicator] = []
        self.table = f"destination-{suffix}"
        self.task = f"task-{suffix}"
        self.lease_table = f"DynamoDBCrossRegionReplication{self.task}"
        self._local: DynamoDBClient = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=servers.dynamodb)
        self._s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=servers.moto)
        self._writes = itertools.count(1)
        self._stack = ExitStack()
        self._settings = {
            "sourceRegion": "us-east-1",
            "sourceTable": self.simulator.table,
            "sourceEndpoint": self.simulator.endpoint,
            "destinationRegion": "eu-west-1",
            "destinationTable": self.table,
            "destinationEndpoint": self.destination.endpoint,
            "kclEndpoint": self.leases.endpoint,
            "taskName": self.task,
            **_SETTINGS[kind],
            **settings,
        }

    def __enter__(self) -> Self:
        for server in (self.simulator, self.leases, self.destination, self.sts, self.s3, self.cloudwatch):
            self._stack.enter_context(server)
        _create(self._local, self.table)
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in self.daemons:
            thaw(daemon)
            daemon.__exit__()
        with contextlib.suppress(self._local.exceptions.ClientError):
            self._local.delete_table(TableName=self.table)
        self._stack.close()

    def site(self, name: str) -> FaultyServer:
        """The server that a call of that site goes to."""
        return {
            "stream": self.simulator,
            "source": self.simulator,
            "leases": self.leases,
            "destination": self.destination,
            "sts": self.sts,
            "s3": self.s3,
            "cloudwatch": self.cloudwatch,
        }[name]

    # --- Daemons -----------------------------------------------------------------------------------------------------

    def make(self) -> Replicator:
        """One more daemon, not started yet, as on a machine of its own."""
        self.daemons.append(
            Replicator(self.folder / f"machine-{len(self.daemons) + 1}", self._settings, root=self.root)
        )
        return self.daemons[-1]

    def start(self, daemon: Replicator) -> Replicator:
        """Start it."""
        return daemon.start(
            environment={
                "AWS_ENDPOINT_URL_STS": self.sts.endpoint,
                "AWS_ENDPOINT_URL_S3": self.s3.endpoint,
                "AWS_ENDPOINT_URL_CLOUDWATCH": self.cloudwatch.endpoint,
            }
        )

    # --- The source --------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """A change of each of a few keys, in every shard: puts, and deletes now and then."""
        number = next(self._writes)
        for key in _KEYS:
            if key in _DELETED and number % 2:
                self.simulator.delete({"id": {"S": key}})
            else:
                self.simulator.put(_item(key, number))
        if self.kind == "letters":
            self.simulator.put(_item(f"{REFUSED}-{number}", number) | {INDEXED: {"N": str(number)}})

    def write_many(self) -> None:
        """A backlog: a change of each of many keys at once."""
        number = next(self._writes)
        for count in range(_BACKLOG[self.kind]):
            self.simulator.put(_item(f"many-{count:05d}", number))

    def wanted(self) -> dict[str, Item]:
        """What the destination must hold in the end: the source's items, without those that it refuses."""
        return {key: item for key, item in self.simulator.items().items() if not key.startswith(REFUSED)}

    # --- The destination and the leases, past the proxies ------------------------------------------------------------

    def found(self) -> dict[str, Item]:
        """What it holds."""
        return {item["id"]["S"]: item for item in self._scan(self.table)}

    def lease_rows(self) -> dict[str, dict[str, Any]]:
        """KCL's rows by shard; there are none while there is no table."""
        try:
            return {row["leaseKey"]["S"]: row for row in self._scan(self.lease_table)}
        except self._local.exceptions.ResourceNotFoundException:
            return {}

    def letters(self) -> list[str]:
        """The names of the dead letters."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"here/{self.task}/")
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def _scan(self, table: str) -> list[Any]:
        found: list[Any] = []
        start: dict[str, Any] = {}
        while True:
            page: Any = self._local.scan(TableName=table, ConsistentRead=True, **start)
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


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


def _item(key: str, number: int) -> Item:
    return {"id": {"S": key}, "write": {"N": str(number)}, "at": {"N": str(time.time_ns() // 1000)}}


def _expiry(asked: Asked) -> float:
    """Such that each use renews: the Java SDK does in the last two minutes, botocore in the last fifteen."""
    return 120.0 if asked.java else 899.0


def _create(client: DynamoDBClient, table: str) -> None:
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", INDEXED)],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "refuses-numbers",
                "KeySchema": [{"AttributeName": INDEXED, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
