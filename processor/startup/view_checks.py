"""Checks the settings that choose and reshape items. Tasks without any pay nothing for it, not even its imports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from processor.reporting.findings import Finding, error

if TYPE_CHECKING:
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts


def by_itself(settings: Settings) -> list[Finding]:
    """What is wrong whatever the tables are."""
    found = list(_archive(settings))
    if settings.views_nothing:
        return found
    from processor.startup import view_findings

    return [*found, *view_findings.of_settings(settings)]


def _archive(settings: Settings) -> Iterator[Finding]:
    """What TTL deletes can be kept of whole items only, in the modes that never ask the source.

    Whether the source's TTL has deleted an item, or an application, or the filter leaves it out, is known by its TTL
    attribute at the destination alone. And where the source is asked what is to become of a change, as
    ``writeMode=fenced`` does, an item that TTL has deleted meanwhile looks like one that is to be deleted.
    """
    if settings.keeps_expired and settings.views_items:
        yield _archive_finding("archive-of-view", "beside settings that choose or reshape items", "those settings")
    if settings.keeps_expired and settings.write_mode == "fenced":
        yield _archive_finding("archive-fenced", "beside writeMode=fenced", "writeMode, or set it to batch or item")


def _archive_finding(name: str, beside: str, others: str) -> Finding:
    return error(
        name,
        "ttlDeletes",
        f"is ignore, {beside}",
        "Items that are to be kept could be deleted at the destination",
        f"Leave ttlDeletes out, or {others}",
        cause="setup",
    )


def with_tables(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """What is wrong with these tables."""
    if settings.views_items:
        from processor.startup import view_findings

        yield from view_findings.of_tables(settings, facts)


def as_before(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether the destination's items were written by other settings."""
    if settings.views_items or (facts.task is not None and facts.task.view_digest):
        from processor.startup import view_findings

        yield from view_findings.changed(settings, facts)
