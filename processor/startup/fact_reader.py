"""Reads the facts for a start, in parallel: the two tables, the stream, the checkpoints, Java.

A fact that could not be read is a finding, and the checks that need it are skipped.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping, MutableSet, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from processor.aws.clients import Clients
from processor.aws.errors import aws_errors
from processor.dynamodb import described_stream, time_to_live
from processor.dynamodb.describe import described, key_types
from processor.errors import CredentialsError, NotFoundError, RefusedError, SetupError, UnavailableError
from processor.reporting.findings import Finding, error, warning
from processor.startup import (
    credentials_providers,
    installation,
    java,
    java_options,
    letters_bucket,
    places,
    stream_readers,
    write_probe,
)
from processor.startup.facts import Facts
from processor.startup.failed_call import Who, attempt, finding_of
from processor.state import care_row, copy_rows, leases, task_row
from processor.system import program

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from processor.settings.settings import Settings, Side

T = TypeVar("T")
R = TypeVar("R")


class _Part(NamedTuple):
    """What is read by one thread. ``side``: its name in ``unreachable``; None if it is always read."""

    side: str | None
    shown: str
    read: Callable[[], list[Finding]]


def read(
    settings: Settings,
    clients: Clients,
    *,
    unreachable: Collection[str] = (),
    unanswered: MutableSet[str] | None = None,
    thorough: bool = False,
) -> tuple[Facts, list[Finding]]:
    """Read everything, in parallel.

    :param unreachable: those of ``source``, ``destination``, ``checkpoints`` and ``java`` that need not be tried
    :param unanswered: receives the names of what is being read, so that another thread can report them
    :param thorough: also check what a start has no time for
    :returns: the facts, and what went wrong while reading them
    """
    reader = _Reader(settings, clients, thorough=thorough)
    waiting = set() if unanswered is None else unanswered

    def look(part: _Part) -> list[Finding]:
        waiting.add(part.shown)
        try:
            return part.read()
        finally:
            waiting.discard(part.shown)

    tried = [part for part in reader.parts() if part.side not in unreachable]
    return reader.facts, [finding for findings in _side_by_side(look, tried) for finding in findings]


class _Reader:
    """Reads each part into ``facts``, by a thread of its own; returns what went wrong."""

    def __init__(self, settings: Settings, clients: Clients, *, thorough: bool) -> None:
        self.facts = Facts()
        self._settings = settings
        self._clients = clients
        self._thorough = thorough

    def parts(self) -> list[_Part]:
        parts = [
            _Part("source", "source table", self._source),
            _Part("destination", "destination table", self._destination),
            _Part("checkpoints", "checkpoint table", self._checkpoints),
            _Part(None, "dead letters' place", self._files),
            _Part("java", "Java", self._java),
        ]
        if self._thorough:
            parts.append(_Part(None, "notifyUri", lambda: _notified(self._settings, self._clients)))
        return parts

    def _source(self) -> list[Finding]:
        settings, clients, facts = self._settings, self._clients, self.facts
        name, region = settings.source_table, settings.source_region
        who = Who.of_source(settings)
        findings = _table(facts, "source", who, clients.source, name=name, region=region)
        stream_arn = (facts.source or {}).get("LatestStreamArn")
        if stream_arn and facts.source and facts.source.get("StreamSpecification", {}).get("StreamEnabled"):
            reader = Who.of_stream(settings)
            findings += attempt(f"stream {stream_arn}", lambda: list_shards(facts, clients, stream_arn), reader)
        facts.source_ttl = _ttl(clients.source, name, region, facts.source)
        return findings + _items(settings, clients, facts.source)

    def _destination(self) -> list[Finding]:
        settings, clients, facts = self._settings, self._clients, self.facts
        name, region = settings.destination_table, settings.destination_region
        findings = _table(
            facts, "destination", Who.of_destination(settings), clients.destination, name=name, region=region
        )
        facts.destination_ttl = _ttl(clients.destination, name, region, facts.destination)
        return findings + _writes(settings, clients, facts.destination)

    def _checkpoints(self) -> list[Finding]:
        settings = self._settings
        what = f"checkpoint table {settings.checkpoint_table} in {settings.kcl_region}"
        return attempt(what, self._rows, Who.of_task(settings))

    def _rows(self) -> None:
        settings, client, facts = self._settings, self._clients.checkpoints(), self.facts
        facts.leases = leases.read(client, settings.checkpoint_table)
        facts.leases_read_at_ms = int(time.time() * 1000)
        facts.task = task_row.read(client, settings.task_table)
        facts.copy = copy_rows.read(client, settings.task_table)
        if settings.has_caretaker:
            facts.care = care_row.read(client, settings.task_table)

    def _files(self) -> list[Finding]:
        settings, facts = self._settings, self.facts
        facts.readers_here = stream_readers.on_this_machine(Path(settings.log_directory), besides=os.getpid())
        facts.letters_owner, of_bucket = letters_bucket.look(settings, self._clients)
        return [
            *places.log_configuration(settings),
            *places.log_directory(settings),
            *places.letters_file(settings),
            *places.conflicts_file(settings),
            *of_bucket,
        ]

    def _java(self) -> list[Finding]:
        return [*installation.findings(self._settings, thorough=self._thorough), *_installation(self._settings)]


def _notified(settings: Settings, clients: Clients) -> list[Finding]:
    from processor.startup import notify_checks  # a start doesn't look there, and needs none of it

    return list(notify_checks.findings(settings, clients))


def _side_by_side(look: Callable[[T], R], parts: Sequence[T]) -> list[R]:
    """Every part's result; an interruption does not wait for calls in progress."""
    pool = ThreadPoolExecutor(len(parts), thread_name_prefix="preflight")
    try:
        return list(pool.map(look, parts))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def read_tables(
    settings: Settings, clients: Clients, *, unreachable: Collection[str] = ()
) -> tuple[Facts, list[Finding]]:
    """Read the descriptions of the two tables, without stream, checkpoints and machine.

    :param unreachable: those of ``source`` and ``destination`` that need not be tried
    """
    facts, findings = Facts(), []
    source, destination = Who.of_source(settings), Who.of_destination(settings)
    roles: tuple[tuple[Side, Who, Callable[[], DynamoDBClient], str, str], ...] = (
        ("source", source, clients.source, settings.source_table, settings.source_region),
        ("destination", destination, clients.destination, settings.destination_table, settings.destination_region),
    )
    for role, who, client, name, region in roles:
        if role not in unreachable:
            findings += _table(facts, role, who, client, name=name, region=region)
    return facts, findings


def _table(
    facts: Facts, role: Side, who: Who, client: Callable[[], DynamoDBClient], *, name: str, region: str
) -> list[Finding]:
    """Read a table's description into its fact.

    :param role: what the table is in this direction
    """

    def describe() -> None:
        try:
            found = described(client(), name, call=f"DescribeTable on table {name} in {region}")
        except NotFoundError:
            facts.missing.add(role)
            raise
        if role == "source":
            facts.source, facts.source_clock_ms = found.table, _clock_ms(found.date)
        else:
            facts.destination = found.table

    return attempt(f"{who.side} table {name} in {region}", describe, who)


def _writes(settings: Settings, clients: Clients, destination: dict[str, Any] | None) -> list[Finding]:
    """Whether the destination may be written; if that can't be known now, a warning says so."""
    if destination is None or destination.get("TableStatus") not in write_probe.WRITABLE:
        return []
    region, batches = settings.destination_region, settings.write_mode == "batch" and not settings.two_way
    what = f"writes to {settings.destination_side} table {settings.destination_table} in {region}"
    try:
        write_probe.try_writes(clients.destination, destination, region=region, batches=batches)
    except CredentialsError as exc:
        return [finding_of(what, exc, Who.of_destination(settings))]
    except (RefusedError, UnavailableError) as exc:
        unknown = "Whether it may be written is not known; a replication waits until it can be"
        return [
            warning(
                "write-unknown",
                what,
                f"could not be tried ({exc})",
                unknown,
                "Do what the reason asks for, and check again",
            )
        ]
    return []


def _clock_ms(date: str) -> int | None:
    """An HTTP date in milliseconds since the epoch, or None if it is not a date."""
    try:
        return int(parsedate_to_datetime(date).timestamp() * 1000)
    except ValueError:
        return None


def _items(settings: Settings, clients: Clients, source: dict[str, Any] | None) -> list[Finding]:
    """Whether single items of the source may be read, which ``writeMode=fenced`` may need."""
    if source is None or settings.write_mode != "fenced":
        return []
    name, region, key = settings.source_table, settings.source_region, _no_ones_key(source)
    who = Who.of_source(settings)
    return attempt(f"items of source table {name}", lambda: _get(clients.source, name, region, key), who)


def _no_ones_key(table: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"S": "preflight", "N": "0", "B": b"preflight"}
    return {name: {kind: values[kind]} for name, kind in key_types(table).items()}


def _get(client: Callable[[], DynamoDBClient], name: str, region: str, key: dict[str, Any]) -> None:
    with aws_errors(f"GetItem on table {name} in {region}"):
        client().get_item(TableName=name, Key=key)


def list_shards(facts: Facts, clients: Clients, stream_arn: str) -> None:
    """Read the stream's shards into their facts.

    :raises UnavailableError: they can't be listed now
    """
    found = described_stream.described(clients.streams(), stream_arn)
    facts.stream_shards = frozenset(shard["ShardId"] for shard in found.shards)
    facts.open_shards = sum("EndingSequenceNumber" not in _range(shard) for shard in found.shards)
    facts.stream_status = found.description.get("StreamStatus")


def _range(shard: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = shard.get("SequenceNumberRange") or {}
    return found


def _ttl(client: Callable[[], DynamoDBClient], name: str, region: str, table: dict[str, Any] | None) -> str | None:
    if table is None:
        return None
    try:
        return time_to_live.look(client(), name, region).attribute
    except (UnavailableError, RefusedError):
        return None  # it is only needed for a warning, and a policy may leave this call out


def _installation(settings: Settings) -> list[Finding]:
    findings = []
    checks: dict[str, Callable[[], object]] = {
        "java-unusable": java.check_version,
        "jar-missing": java.class_path,
        "installation-not-found": program.check_isolated,
    }
    for name, check in checks.items():
        try:
            check()
        except SetupError as exc:
            findings.append(error(name, exc.what, exc.value, exc.consequence, exc.remedy, cause="setup"))
    return findings or [*java_options.findings(settings), *credentials_providers.findings(settings)]
