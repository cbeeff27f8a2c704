"""The source's stream, turned on where ``enableStream`` asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from processor.dynamodb import aws_errors
from processor.provision import definition
from processor.waiting import Say, Waiting

if TYPE_CHECKING:
    from processor.dynamodb import Clients
    from processor.settings import Settings


def turn_on(settings: Settings, clients: Clients, source: dict[str, Any], *, waiting: Waiting, say: Say) -> None:
    """Make sure that changes leave a trace from now on; a stream that is on already is left as it is.

    :param source: the table as DescribeTable has it
    :raises UnavailableError: it could not be turned on, or not be seen to be
    :raises RefusedError: the same
    """
    if source.get("StreamSpecification", {}).get("StreamEnabled"):
        return
    name, region = settings.source_table, settings.source_region
    before = source.get("LatestStreamArn")
    say(f"Turning on the stream of source table {name}")
    with aws_errors(f"UpdateTable on table {name} in {region}"):
        clients.source().update_table(TableName=name, StreamSpecification=definition.STREAM)  # type: ignore[arg-type]  # a dict

    def look() -> str | None:
        with aws_errors(f"DescribeTable on table {name} in {region}"):
            table = clients.source().describe_table(TableName=name)["Table"]
        arn = table.get("LatestStreamArn")
        if table["TableStatus"] != "ACTIVE" or not arn or arn == before:
            return None
        with aws_errors(f"DescribeStream on {arn}"):
            stream = clients.streams().describe_stream(StreamArn=arn)["StreamDescription"]
        return arn if stream.get("StreamStatus") == "ENABLED" else None

    say(f"Stream {waiting.until(look, f'the stream of source table {name} to be on')} is on")
