"""Plans a copy, from the descriptions of the tables and a first page of the source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from processor.commands.copy import estimate, sample, write_cost
from processor.commands.copy.estimate import Estimate
from processor.commands.copy.job import Job
from processor.dynamodb import prices, table_spec, unit_limits
from processor.dynamodb.unit_limits import Kind
from processor.flow.retry import Retry
from processor.reporting.findings import Finding, error
from processor.startup.facts import Facts

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings


def make(settings: Settings, clients: Clients, facts: Facts, job: Job, retry: Retry) -> tuple[Estimate, list[Finding]]:
    """Plan what is left of a copy.

    :returns: the plan, and findings: it would not be finished in time, or a limit makes no sense
    """
    if job.copy.via:
        return via_s3(facts.source or {}), []
    source, destination = facts.source or {}, facts.destination or {}
    findings: list[Finding] = []
    reads = _limit("copyReadUnits", settings.copy_read_units, source, "ReadCapacityUnits", findings)
    writes = _limit("copyWriteUnits", settings.copy_write_units, destination, "WriteCapacityUnits", findings)
    found = sample.take(settings, clients, retry, job.view)
    counted = int(source.get("ItemCount", 0))
    average = int(source.get("TableSizeBytes", 0)) / counted if counted else 0.0
    read_capacity = write_cost.units_per_second(source, source, "ReadCapacityUnits")
    parts = write_cost.parts(destination, found.items, average_bytes=average)
    if found.share != 1:
        parts = [msgspec.structs.replace(part, units_per_item=part.units_per_item * found.share) for part in parts]
    planned = estimate.estimate(
        source,
        copied_items=job.copied_items,
        concurrent=job.copy.concurrent,
        processes=job.processes,
        read_rate=min((rate for rate in (reads, read_capacity) if rate), default=None),
        write_rate=writes,
        parts=parts,
        scan_units_per_item=found.scan_units_per_item,
    )
    findings += estimate.findings(planned, concurrent=job.copy.concurrent, age_seconds=job.age_seconds)
    return msgspec.structs.replace(planned, dollars=_dollars(settings, planned, source, destination)), findings


def via_s3(source: Mapping[str, Any]) -> Estimate:
    """Plan a copy by export and import, which is charged by the gigabyte; how long AWS takes is not known."""
    size = int(source.get("TableSizeBytes", 0))
    return Estimate(
        items=int(source.get("ItemCount", 0)),
        size_bytes=size,
        read_units=0,
        write_units=0,
        seconds_by_write_units=None,
        seconds_by_read_units=None,
        seconds_by_rate=0.0,
        dollars=prices.transfer(size),
    )


def _limit(name: str, limit: str | None, table: Mapping[str, Any], kind: Kind, findings: list[Finding]) -> float | None:
    try:
        return unit_limits.a_second(limit, table, kind)
    except ValueError as exc:
        findings.append(
            error("rate-unknown", name, str(exc), "It says nothing then", "Give units a second, or leave it out")
        )
        return None


def _dollars(
    settings: Settings, planned: Estimate, source: Mapping[str, Any], destination: Mapping[str, Any]
) -> float | None:
    """What AWS charges for the requests, in US dollars; None if neither table is on AWS."""
    if settings.source_endpoint and settings.destination_endpoint:
        return None
    dollars = 0.0
    if not settings.source_endpoint and table_spec.billing_mode(source) != "PROVISIONED":
        dollars += prices.reads(planned.read_units, table_spec.table_class(source))
    if not settings.destination_endpoint and table_spec.billing_mode(destination) != "PROVISIONED":
        dollars += prices.writes(planned.write_units, table_spec.table_class(destination))
    return dollars
