"""Reads the TTL settings of the two tables, by DescribeTimeToLive."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import msgspec

from processor.aws.errors import aws_errors
from processor.dynamodb.expiry import NEVER, Expiry, PastTtl
from processor.errors import CredentialsError, RefusedError, SetupError, UnavailableError
from processor.reporting.findings import Finding, warning

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from processor.aws.clients import Clients
    from processor.settings.settings import Settings

# TTL that is being turned on deletes nothing yet, but will within an hour, and can't be stopped any more.
_ON = ("ENABLED", "ENABLING")
# A store that is not AWS's may not know the call. Then it deletes nothing either.
_UNKNOWN_CALL = frozenset({"UnknownOperationException", "UnknownOperation", "NotImplemented", "501"})

# An answer's date has whole seconds, is some seconds old, and clocks drift apart during a long comparison.
_ROOM_SECONDS = 60.0

Ask = Callable[[Callable[[], "TimeToLive"]], "TimeToLive"]


class TimeToLive(msgspec.Struct, frozen=True, kw_only=True):
    """A table's TTL.

    :param attribute: its attribute, or None if TTL is off
    :param clock_ahead_seconds: by how much this machine's clock is ahead of the service's; negative if it is behind
    """

    attribute: str | None
    clock_ahead_seconds: float = 0.0

    @property
    def past(self) -> PastTtl:
        """Which items are past it, by the service's clock, so that ours, if ahead, makes no item look expired."""
        ahead = max(0.0, self.clock_ahead_seconds)
        return PastTtl(self.attribute, lambda: time.time() - ahead)

    def kept_as(self, name: str) -> PastTtl:
        """Which items, that only the destination has, TTL has deleted at the source: in doubt, those that it may have.

        So the later of the two clocks counts, with some room, and it doesn't matter how long ago a date is.

        :param name: of the attribute there
        """
        behind = max(0.0, -self.clock_ahead_seconds) + _ROOM_SECONDS
        return PastTtl(name, lambda: time.time() + behind, longest_seconds=float("inf"))


OFF = TimeToLive(attribute=None)


def look(client: DynamoDBClient, table: str, region: str) -> TimeToLive:
    """Ask DynamoDB.

    :raises CredentialsError: we are not allowed to
    :raises UnavailableError: no usable answer now
    """
    try:
        with aws_errors(f"DescribeTimeToLive on table {table} in {region}"):
            answer: Any = client.describe_time_to_live(TableName=table)
    except UnavailableError as exc:
        if exc.code in _UNKNOWN_CALL:
            return OFF
        raise
    found = answer.get("TimeToLiveDescription", {})
    attribute = found.get("AttributeName") if found.get("TimeToLiveStatus") in _ON else None
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return TimeToLive(attribute=attribute, clock_ahead_seconds=_ahead(date))


def _ahead(date: str | None) -> float:
    try:
        return time.time() - parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError):  # the date is missing or unreadable
        return 0.0


def of_source(settings: Settings, clients: Clients, ask: Ask) -> tuple[PastTtl, list[Finding]]:
    """Which of the source's items are past their TTL.

    :param ask: makes the call, with retries
    :returns: also a warning, if we are not allowed to ask; then no item counts as past its TTL
    """
    if settings.keeps_expired:  # TTL deletes nothing that the destination is to have
        return NEVER, []
    found, findings = _look("source", settings.source_table, settings.source_region, clients.source, ask)
    is_there = found.attribute is None or settings.destination_name(found.attribute) is not None
    return (found.past if is_there else NEVER), findings


def of_both(settings: Settings, clients: Clients, ask: Ask) -> tuple[Expiry, list[Finding]]:
    """The same for both tables.

    :raises SetupError: with ttlDeletes=ignore, if we are not allowed to ask for the source's
    """
    source, findings = _look("source", settings.source_table, settings.source_region, clients.source, ask)
    name, region = settings.destination_table, settings.destination_region
    if settings.keeps_expired and findings:
        raise SetupError(
            f"TTL of source table {settings.source_table}",
            findings[0].value,
            "What ttlDeletes=ignore keeps could not be told from what is to be deleted. Nothing was written",
            findings[0].remedy,
        )
    there, more = _look("destination", name, region, clients.destination, ask)
    findings += more
    # The source's items are compared as the destination has them.
    attribute = None if source.attribute is None else settings.destination_name(source.attribute)
    if settings.keeps_expired:
        if attribute is None:
            return Expiry(NEVER, there.past, keeps_all=True), [*findings, _all_kept(settings)]
        return Expiry(NEVER, there.past, source.kept_as(attribute)), findings
    if attribute is None:
        return Expiry(NEVER, there.past), findings
    return Expiry(source.past.named(attribute), there.past), findings


def _look(
    role: str, table: str, region: str, client: Callable[[], DynamoDBClient], ask: Ask
) -> tuple[TimeToLive, list[Finding]]:
    try:
        return ask(lambda: look(client(), table, region)), []
    except (CredentialsError, RefusedError) as exc:
        unknown = (
            "Items past their TTL count as any others: what one table has deleted already may be called a difference, "
            "and be written again"
        )
        remedy = "Allow dynamodb:DescribeTimeToLive on it; run.sh policy prints what is needed"
        return OFF, [
            warning("ttl-unknown", f"TTL of {role} table {table}", f"can't be looked at ({exc})", unknown, remedy)
        ]


def _all_kept(settings: Settings) -> Finding:
    return warning(
        "archive-without-ttl",
        f"TTL of source table {settings.source_table}",
        "is off, and by ttlDeletes=ignore what it has deleted before is kept",
        "Every item that only the destination has counts as kept, those that an application has deleted, too",
        "Turn TTL on, if only until this is done, or leave ttlDeletes out where nothing is to be kept",
    )
