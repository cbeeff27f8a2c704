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
    if settings.views_nothing:
        return []
    from processor.startup import view_findings

    return list(view_findings.of_settings(settings))


def with_tables(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """What is wrong with these tables."""
    if settings.views_items:
        from processor.startup import view_table_findings

        yield from view_table_findings.of_tables(settings, facts)
        yield from _archive(settings, facts)


def _archive(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """What TTL deletes can be kept only where the destination's items have the date by which it does.

    Once the source has an item no more, that date alone says whether TTL may have deleted it or an application.
    """
    name = facts.source_ttl
    if not settings.keeps_expired or name is None or settings.destination_name(name) is not None:
        return
    if settings.transform is not None:
        why, remedy = "a transform may leave out or change", "Do without the transform"
    else:
        why, remedy = "these settings leave out or change", f"Keep {name} as it is, if need be under another name"
    yield error(
        "archive-without-date",
        "ttlDeletes",
        f"is ignore, and {why} {name}, the source's TTL attribute",
        "verify --repair, redrive and copy could not tell what TTL has deleted, and is to be kept, from what an "
        "application has deleted",
        f"{remedy}, or leave ttlDeletes out",
        cause="setup",
    )


def as_before(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether the destination's items were written by other settings."""
    if settings.views_items or (facts.task is not None and facts.task.view_digest):
        from processor.startup import view_table_findings

        yield from view_table_findings.changed(settings, facts)
