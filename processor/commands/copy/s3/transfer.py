"""Copies by DynamoDB's own export and import, for tables that one machine can't copy in time.

Nothing between is lost: the stream is on, and known by its ARN, before the export begins; replication begins with the
stream's oldest record, within its 24 hours. The caller stores how far the copy is, so the next run resumes it, whatever
ended this one:

1. An export or import that was begun and not stored is found again by its ``ClientToken``, for eight hours.
2. One that has failed is forgotten, so that the next run begins another.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from processor.commands.copy.s3 import checks, completion, table_export, table_import
from processor.dynamodb.stream_retention import RETENTION_SECONDS
from processor.errors import TransferError, UsageError
from processor.flow.waiter import Say, Waiter
from processor.reporting.findings import Finding, failure_of
from processor.settings.s3_location import S3Location, s3_location
from processor.startup import destination

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings

# The stream keeps a change for 24 hours; the rest is for the start of the replication.
LAST_BEGIN_SECONDS = 20 * 3600.0
# Exports and imports take minutes at least.
EVERY_SECONDS = 10.0


class SavedTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """How far a copy has come, as its caller stores it.

    :param id: the same for all runs of one copy
    :param started_ms: when the copy began, after the stream was on, in milliseconds since the epoch
    :param stream_arn: that stream
    """

    id: str
    started_ms: int
    stream_arn: str
    export_arn: str = ""
    import_arn: str = ""


class Save(Protocol):
    """Stores what is given, durably; an empty ARN stands for none."""

    def __call__(self, *, export_arn: str = ..., import_arn: str = ...) -> None:
        """Return when it is stored."""


class TransferCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What was imported, and what the new table lacks of the source's definition."""

    items: int
    size_bytes: int
    findings: list[Finding]


def findings(settings: Settings, clients: Clients, uri: str, *, begun: bool) -> list[Finding]:
    """What forbids such a copy, or should be known before it; ``exportable`` has what is looked at.

    :raises UsageError: ``uri`` is no location in a bucket
    """
    return list(checks.findings(settings, clients, _location(uri), begun=begun))


def run(
    settings: Settings,
    clients: Clients,
    uri: str,
    *,
    saved: SavedTransfer,
    save: Save,
    progress: Say,
    stop: threading.Event | None = None,
    every_seconds: float | None = None,
    now: Callable[[], float] = time.time,
) -> TransferCounts:
    """Export, import, and complete the table's definition; or resume what an earlier run had begun.

    :param uri: ``s3://bucket/prefix``
    :param saved: what earlier runs stored
    :param save: called with each step before the next one begins
    :param progress: is told how far it is, at each look
    :param now: seconds since the epoch
    :raises NotReadyError: something must be put right first; nothing was begun
    :raises NotLookedAtError: it could not be seen whether all is ready; nothing was begun
    :raises TransferError: it can't become a copy; the message says what to do
    :raises UnavailableError: AWS could not be asked for five minutes; the next run goes on
    :raises StoppedError: ``stop`` was set; the next run goes on
    """
    location = _location(uri)
    found = checks.findings(settings, clients, location, begun=bool(saved.export_arn))
    if errors := [finding for finding in found if finding.severity == "error"]:
        message = " ".join([*(finding.text for finding in errors), "Nothing was exported or imported."])
        raise failure_of(errors)(message)
    waiter = Waiter(progress, stop=stop, every_seconds=every_seconds or EVERY_SECONDS)
    transfer = _Transfer(settings, clients, location, saved, save, progress, waiter, now)
    source = transfer.source()
    transfer = replace(transfer, location=location.owned(checks.account_of(clients, source)))
    export_arn, items = transfer.exported(source)
    imported = transfer.imported(source, export_arn, items)
    destination.wait_until_active(settings, clients, waiter)
    left = list(completion.complete(settings, clients, source, waiter=waiter, say=progress))
    transfer.source()
    transfer.check_time(RETENTION_SECONDS)
    return TransferCounts(items=items, size_bytes=imported.get("ProcessedSizeBytes", 0), findings=left)


@dataclass(frozen=True, slots=True)
class _Transfer:
    settings: Settings
    clients: Clients
    location: S3Location
    saved: SavedTransfer
    save: Save
    progress: Say
    waiter: Waiter
    now: Callable[[], float]

    def source(self) -> dict[str, Any]:
        """The source as it is, with the stream that it had when the copy began."""
        name, before = self.settings.source_table, self.saved.stream_arn
        found = destination.describe(self.clients.source(), name, self.settings.source_region) or {}
        arn = found.get("LatestStreamArn")
        if arn != before or not found.get("StreamSpecification", {}).get("StreamEnabled"):
            raise TransferError(
                f"Stream of source table {name}: it was {before} when this copy began, and is "
                f"{'off' if arn == before else arn or 'none'} now. Changes in between are in neither export nor "
                "stream. Delete the destination table if it is there, and begin the copy anew."
            )
        return found

    def exported(self, source: Mapping[str, Any]) -> tuple[str, int]:
        """The export's ARN, and how many items it has."""
        client, arn = self.clients.source(), self.saved.export_arn
        if not arn:
            self.check_time(LAST_BEGIN_SECONDS)
            arn = table_export.begin(
                client, source, self.location, copy_id=self.saved.id, stream_arn=self.saved.stream_arn
            )
            self.save(export_arn=arn)
        try:
            export = table_export.finished(
                client, arn, self.location, waiter=self.waiter, say=self.progress, in_time=self._in_time
            )
        except TransferError:
            self.save(export_arn="", import_arn="")
            raise
        return arn, export.get("ItemCount", 0)

    def imported(self, source: Mapping[str, Any], export_arn: str, items: int) -> dict[str, Any]:
        """DescribeImport's answer about the finished import."""
        client, arn = self.clients.destination(), self.saved.import_arn
        if not arn:
            self.check_time(LAST_BEGIN_SECONDS)
            name = self.settings.destination_table
            arn = table_import.begin(
                client, source, name, self.location, copy_id=self.saved.id, export_arn=export_arn, expected_items=items
            )
            self.save(import_arn=arn)
        try:
            return table_import.finished(
                client, arn, expected_items=items, waiter=self.waiter, say=self.progress, in_time=self._in_time
            )
        except TransferError:
            self.save(import_arn="")
            raise

    def check_time(self, most_seconds: float) -> None:
        """Go on only while a replication that begins after it finds all changes in the stream."""
        seconds = self.now() - self.saved.started_ms / 1000
        if seconds > most_seconds:
            raise TransferError(
                f"This copy began {seconds / 3600:.1f} hours ago; {most_seconds / 3600:.0f} is the most here, for the "
                "stream keeps changes for 24 hours and replication must begin before that. Delete the destination "
                "table if it is there, and begin the copy anew."
            )

    def _in_time(self) -> None:
        self.check_time(RETENTION_SECONDS)


def _location(uri: str) -> S3Location:
    try:
        return s3_location(uri)
    except ValueError as exc:
        raise UsageError(f"--viaS3: {exc}.") from exc
