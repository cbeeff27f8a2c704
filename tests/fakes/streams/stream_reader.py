"""A stream read as boto3 reads it, without retries."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from tests.fakes.streams.streams_simulator import StreamsSimulator

_ONCE = Config(retries={"total_max_attempts": 1})


class Reader:
    """Reads a simulator's newest stream; ``db`` and ``streams`` are the clients."""

    def __init__(self, simulator: StreamsSimulator) -> None:
        self._simulator = simulator
        self.db: Any = self._client("dynamodb")
        self.streams: Any = self._client("dynamodbstreams")

    def describe(self, **more: Any) -> Any:
        """DescribeStream."""
        return self.streams.describe_stream(StreamArn=self._simulator.stream_arn, **more)["StreamDescription"]

    def iterator(self, shard_id: str, kind: str = "TRIM_HORIZON", **more: Any) -> str:
        """GetShardIterator."""
        answer = self.streams.get_shard_iterator(
            StreamArn=self._simulator.stream_arn, ShardId=shard_id, ShardIteratorType=kind, **more
        )
        return str(answer["ShardIterator"])

    def page(self, iterator: str, **more: Any) -> Any:
        """GetRecords."""
        return self.streams.get_records(ShardIterator=iterator, **more)

    def records(self, shard_id: str) -> list[Any]:
        """All records of a shard."""
        found: list[Any] = []
        iterator = self.iterator(shard_id)
        while True:
            page = self.page(iterator)
            found += page["Records"]
            if not page["Records"] or "NextShardIterator" not in page:
                return found
            iterator = page["NextShardIterator"]

    def keys(self, shard_id: str) -> list[str]:
        """The keys of a shard's records."""
        return [record["dynamodb"]["Keys"]["id"]["S"] for record in self.records(shard_id)]

    def _client(self, service: str) -> Any:
        made: Any = boto3.client  # the stubs want literals
        return made(service, region_name="us-east-1", endpoint_url=self._simulator.endpoint, config=_ONCE)
