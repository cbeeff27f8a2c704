"""``run.sh preview``: reads some items of the source, and shows what would be written of each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from processor.aws.clients import Clients
from processor.commands.preview.options import PreviewOptions
from processor.commands.preview.report import Item, Preview, PreviewReport
from processor.dynamodb.describe import described_if_there, key_types
from processor.dynamodb.keys import decode_key
from processor.dynamodb.scanner import Segment
from processor.errors import SetupError, UsageError
from processor.replication import tables
from processor.reporting import output
from processor.settings.settings import Settings
from processor.startup import preflight, view_findings, view_table_findings
from processor.startup.facts import Facts
from processor.view import assembly, task_view

FAULTS = 1
_NOTHING = "No item was read."
# Width of the output in a pipe: large, so that lines can be searched.
_PIPE_COLUMNS = 200


def run(settings: Settings, options: PreviewOptions) -> int:
    """Show what the settings make of some items. Only the source is read, and nothing is written anywhere.

    :returns: 0; 1 if an item can't be written with these settings, or a key has no item
    :raises UsageError: a key is not one of this table
    :raises SetupError: there is no such table
    :raises NotReadyError: a setting can't be used
    :raises ReplicatorError: the source can't be read
    """
    preflight.insist(list(view_findings.of_settings(settings)), _NOTHING)
    clients = Clients(settings)
    table = _described(settings, clients)
    preflight.insist(list(view_table_findings.of_tables(settings, Facts(source=table))), _NOTHING)
    types = key_types(table)
    _check_keys(options, types, settings)
    preview = Preview(
        settings,
        key_names=list(types),
        view=task_view.view_of(settings, types),
        condition=assembly.condition_of(settings),
        values=options.values,
    )
    report = PreviewReport(items=tuple(_items(settings, options, clients, preview)))
    _show(report, settings, options)
    return FAULTS if report.has_faults else 0


def _items(settings: Settings, options: PreviewOptions, clients: Clients, preview: Preview) -> Iterator[Item]:
    if options.keys:
        source = tables.source(settings, clients, view=None)
        for key in options.keys:
            item = source.get(key)
            yield preview.missing(key) if item is None else preview.of(item)
        return
    # All of them, those too that the filter leaves out: whoever writes a filter wants to see both.
    table, start, left = tables.scannable_source(settings, clients), None, options.items
    while left > 0:
        page = table.page(Segment(0, 1), start, limit=left)
        yield from map(preview.of, page.items[:left])
        left -= len(page.items)
        start = page.last_key
        if start is None:
            return


def _described(settings: Settings, clients: Clients) -> dict[str, Any]:
    where = f"{settings.source_table} in {settings.source_region}"
    found = described_if_there(clients.source(), settings.source_table, call=f"DescribeTable on source table {where}")
    if found is None:
        raise SetupError(
            f"Source table {where}", "there is none", "Nothing was read", "Correct sourceTable or sourceRegion"
        )
    return found


def _check_keys(options: PreviewOptions, types: dict[str, str], settings: Settings) -> None:
    for key in options.keys:
        given = {name: next(iter(value)) for name, value in decode_key(key).items()}
        if given != types:
            wanted = msgspec.json.encode({name: {kind: "..."} for name, kind in types.items()}).decode()
            raise UsageError(
                f"--key: it is no key of source table {settings.source_table}, whose keys are such as {wanted}. "
                "Give one of those."
            )


def _show(report: PreviewReport, settings: Settings, options: PreviewOptions) -> None:
    if options.as_json:
        output.json(report)
        return
    if not settings.views_items:
        output.say("No setting chooses or reshapes items: each is written as it is.")
    # Imported only for people: it takes 0.1 s.
    from processor.commands.preview.render import render
    from processor.reporting.rich_console import PrintableConsole

    width = None if sys.stdout.isatty() else _PIPE_COLUMNS
    PrintableConsole(width=width).print(render(report))
