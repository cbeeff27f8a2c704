"""Checks the settings that choose and reshape items. Tasks without any pay nothing for it, not even its imports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from processor.reporting.findings import Finding
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
        from processor.startup import view_findings

        yield from view_findings.of_tables(settings, facts)


def as_before(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether the destination's items were written by other settings."""
    if settings.views_items or (facts.task is not None and facts.task.view_digest):
        from processor.startup import view_findings

        yield from view_findings.changed(settings, facts)
