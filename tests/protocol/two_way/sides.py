"""Hub and spoke on DynamoDB Local, each with its stream, and a real child for each direction between them.

The daemon is the test: it reads the streams, and says which records a child gets, and when it dies.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from msgspec import structs

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.settings.settings import Settings
from tests.conftest import REGION, Tables
from tests.fakes.daemon.fake_daemon import FakeDaemon
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.streams.stream_record import StreamRecord
from tests.fakes.task.tasks import task

NAME = "_replication"
_SCRIPT = Path(__file__).with_name("planted.py")


class Stream:
    """A table's stream, read from its beginning by its only shard."""

    def __init__(self, port: int, tables: Tables, table: str) -> None:
        self._port = port
        tables.call(
            "UpdateTable",
            TableName=table,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self._arn = tables.call("DescribeTable", TableName=table)["Table"]["LatestStreamArn"]
        self._iterator: str | None = None
        self.records: list[StreamRecord] = []

    def read(self) -> None:
        """Append what is new to ``records``."""
        while (page := self._page()) is None:
            pass
        self._iterator = page["NextShardIterator"]
        self.records += [
            StreamRecord(record["dynamodb"]["SequenceNumber"], json.dumps(record).encode())
            for record in page["Records"]
        ]

    def _page(self) -> Any:
        """The next one; None if DynamoDB Local takes a fresh iterator for one that is trimmed, as it sometimes does."""
        if self._iterator is None:
            shard = self._call("DescribeStream", StreamArn=self._arn)["StreamDescription"]["Shards"][0]["ShardId"]
            place = (
                {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self.records[-1].sequence_number}
                if self.records
                else {"ShardIteratorType": "TRIM_HORIZON"}
            )
            made = self._call("GetShardIterator", StreamArn=self._arn, ShardId=shard, **place)
            self._iterator = made["ShardIterator"]
        try:
            return self._call("GetRecords", ShardIterator=self._iterator)
        except AssertionError as exc:
            if "TrimmedDataAccessException" not in str(exc):
                raise
            self._iterator = None
            return None

    def _call(self, operation: str, **content: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20240101/{REGION}/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Date": "20240101T000000Z",
            "X-Amz-Target": f"DynamoDBStreams_20120810.{operation}",
        }
        try:
            connection.request("POST", "/", body=json.dumps(content), headers=headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        assert response.status == http.client.OK, (operation, answer)
        return answer


class Direction:
    """One task's only shard: its stream, its checkpoint, and the child that has it."""

    def __init__(self, settings: Settings, stream: Stream, folder: Path, *, planted: str | None) -> None:
        self.stream = stream
        self.passed = 0  # how many records the checkpoint has passed
        self._settings = settings
        self._folder = folder
        self._planted = planted
        self._lives = count()
        self._stack = ExitStack()
        self._child: FakeDaemon | None = None

    @property
    def child(self) -> FakeDaemon:
        """A new one where there is none."""
        if self._child is None:
            folder = self._folder / str(next(self._lives))
            folder.mkdir(parents=True)
            self._child = self._stack.enter_context(
                FakeDaemon(
                    self._settings,
                    folder,
                    script=None if self._planted is None else _SCRIPT,
                    environment=None if self._planted is None else {**os.environ, "PLANTED": self._planted},
                    forked=self._planted is None,
                )
            )
            self._child.initialize()
        return self._child

    def go(self, most: int = 1000) -> int:
        """Apply up to so many records that are new; returns how many it were."""
        self.stream.read()
        records = self.stream.records[self.passed : self.passed + most]
        if records:
            self.child.apply(*records)
            self.passed += len(records)
        return len(records)

    def die(self) -> None:
        """Apply what is new, then end without a checkpoint: all of it will be applied again."""
        self.stream.read()
        if records := self.stream.records[self.passed :]:
            self.child.send_records(*records)
            self.child.expect_checkpoint(records[-1].sequence_number)
        self.close()

    def close(self) -> None:
        """End the child, hard."""
        self._stack.close()
        self._child = None


class Sides:
    """Both tables, and what goes each way.

    :param planted: a bug of ``planted.py``
    :param changed: settings by their names in ``Settings``
    """

    def __init__(
        self, dynamodb: DynamoDBLocal, tables: Tables, folder: Path, *, planted: str | None = None, **changed: Any
    ) -> None:
        self._tables = tables
        self.hub, self.spoke = tables.create(), tables.create()
        settings = structs.replace(
            task(
                sourceRegion=REGION,
                sourceTable=self.hub,
                sourceEndpoint=dynamodb.endpoint,
                destinationRegion=REGION,
                destinationTable=self.spoke,
                destinationEndpoint=dynamodb.endpoint,
                dontPublishCloudwatch="true",
                failoverTimeMillis="600000",
            ),
            two_way=True,
            direction="mirror",
            **changed,
        )
        mirror, uplink = settings.in_directions
        streams = [Stream(dynamodb.port, tables, table) for table in (self.hub, self.spoke)]
        self.mirror = Direction(mirror, streams[0], folder / "mirror", planted=planted)
        self.uplink = Direction(uplink, streams[1], folder / "uplink", planted=planted)

    def close(self) -> None:
        """End both children."""
        self.mirror.close()
        self.uplink.close()

    def settle(self) -> int:
        """Go on each way until nothing is new; returns how many records that were."""
        total = 0
        while moved := self.mirror.go() + self.uplink.go():
            total += moved
            assert total < 10_000, "echoes without end"
        return total

    def put(self, table: str, key: str, value: int, **more: Any) -> None:
        """An application's put; it says where it was written."""
        side = "hub" if table == self.hub else "spoke"
        self._tables.put(table, {"id": {"S": key}, "v": {"N": str(value)}, "by": {"S": side}, **more})

    def delete(self, table: str, key: str) -> None:
        """An application's delete."""
        self._tables.call("DeleteItem", TableName=table, Key={"id": {"S": key}})

    def update(self, table: str, key: str, value: int) -> None:
        """An application's update, which leaves other attributes as they are."""
        self._tables.call(
            "UpdateItem",
            TableName=table,
            Key={"id": {"S": key}},
            UpdateExpression="SET v = :v, #by = :by",
            ExpressionAttributeNames={"#by": "by"},
            ExpressionAttributeValues={":v": {"N": str(value)}, ":by": {"S": "hub" if table == self.hub else "spoke"}},
        )

    def items(self, table: str) -> list[Any]:
        """A table's items, without markers."""
        found = [{name: value for name, value in item.items() if name != NAME} for item in self._tables.items(table)]
        return sorted(found, key=lambda item: json.dumps(item, sort_keys=True))

    def stored(self, table: str) -> list[Any]:
        """A table's items as they are."""
        return self._tables.items(table)

    @property
    def are_equal(self) -> bool:
        """Whether both have the same items, and the hub no markers."""
        has_markers = any(NAME in item for item in self.stored(self.hub))
        return self.items(self.hub) == self.items(self.spoke) and not has_markers


@contextmanager
def both(dynamodb: DynamoDBLocal, tables: Tables, folder: Path, **options: Any) -> Iterator[Sides]:
    """Both sides, whose children end with the context."""
    sides = Sides(dynamodb, tables, folder, **options)
    try:
        yield sides
    finally:
        sides.close()
