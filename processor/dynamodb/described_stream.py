"""DescribeStream, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from processor.aws.errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient


class DescribedStream(NamedTuple):
    """``description`` is ``StreamDescription`` of the last page, ``shards`` are those of all pages."""

    description: dict[str, Any]
    shards: list[dict[str, Any]]


def described(client: DynamoDBStreamsClient, arn: str) -> DescribedStream:
    """Ask for a stream, with all of its shards.

    :raises NotFoundError: there is no such stream
    :raises UnavailableError: it can't be read
    """
    shards: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        with aws_errors(f"DescribeStream on {arn}"):
            page: Any = client.describe_stream(StreamArn=arn, **start)["StreamDescription"]
        shards += page.get("Shards", [])
        if not page.get("LastEvaluatedShardId"):
            return DescribedStream(page, shards)
        start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}
