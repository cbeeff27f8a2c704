"""Turns the source's stream on if ``enableStream`` asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors
from processor.dynamodb import table_spec
from processor.dynamodb.describe import described
from processor.flow.waiter import Say, Waiter

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings


def turn_on(settings: Settings, clients: Clients, source: dict[str, Any], *, waiter: Waiter, say: Say) -> None:
    """Make sure that changes leave a trace from now on; a stream that is on already is left as it is.

    A table calls its stream on as soon as somebody asked for it; so the stream itself is asked.

    :param source: the table as DescribeTable has it
    :raises UnavailableError: it could not be turned on, or not be seen to be
    :raises RefusedError: DynamoDB refuses to turn it on, or to show it
    """
    name, region = settings.source_table, settings.source_region
    before = None
    if is_on := bool(source.get("StreamSpecification", {}).get("StreamEnabled")):
        if _enabled(clients, source):
            return
    else:
        before = source.get("LatestStreamArn")
        say(f"Turning on the stream of source table {name}")
        with aws_errors(f"UpdateTable on table {name} in {region}"):
            clients.source().update_table(TableName=name, StreamSpecification=table_spec.STREAM)  # type: ignore[arg-type]  # a dict

    def look() -> str | None:
        table = described(clients.source(), name, call=f"DescribeTable on table {name} in {region}").table
        # A table whose stream was on already may be updated for hours, for another reason.
        if table.get("LatestStreamArn") == before or not (is_on or table["TableStatus"] == "ACTIVE"):
            return None
        return _enabled(clients, table)

    say(f"Stream {waiter.until(look, f'the stream of source table {name} to be on')} is on")


def _enabled(clients: Clients, table: Mapping[str, Any]) -> str | None:
    """The ARN of the table's stream, or None if it is not ENABLED."""
    arn: str | None = table.get("LatestStreamArn")
    if not arn:
        return None
    with aws_errors(f"DescribeStream on {arn}"):
        stream = clients.streams().describe_stream(StreamArn=arn)["StreamDescription"]
    return arn if stream.get("StreamStatus") == "ENABLED" else None
