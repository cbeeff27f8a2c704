"""The report of ``run.sh preview`` for people: each item before and after, side by side."""

from __future__ import annotations

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from processor.commands.preview.report import Attribute, Change, Item, Outcome, PreviewReport, Side
from processor.reporting.rich_console import cell

# The most characters of a value; --json has all of them.
_SHOWN_CHARACTERS = 200
_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "written": ("is written", "green"),
    "filtered": ("is not at the destination: the filter is not true of it", "yellow"),
    "dropped": ("is not at the destination: the transform returned None", "yellow"),
    "refused": ("can't be written", "red"),
    "missing": ("is not at the source", "red"),
}
_CHANGES: dict[Change, tuple[str, str]] = {
    "kept": ("as it is", "dim"),
    "leftOut": ("left out", "red"),
    "partLeftOut": ("part left out", "red"),
    "masked": ("masked", "magenta"),
    "partMasked": ("part masked", "magenta"),
    "changed": ("changed", "yellow"),
    "renamed": ("renamed", "cyan"),
    "added": ("added", "green"),
}


def render(report: PreviewReport) -> RenderableType:
    """All of it; a line that counts the outcomes stands last, where a person looks."""
    return Group(*(part for item in report.items for part in _item(item)), _summary(report))


def _item(item: Item) -> list[RenderableType]:
    words, style = _OUTCOMES[item.outcome]
    reason = f": {item.reason}" if item.reason else ""
    key = msgspec.json.encode(item.key).decode()
    heading = Text.assemble(cell(key), "  ", (f"{words}{cell(reason)}", style))
    if item.outcome == "missing":
        return [heading]
    table = Table("source", "", "destination", "", "what becomes of it")
    for attribute in item.attributes:
        table.add_row(*_side(attribute.before), *_side(attribute.after), _changes(attribute))
    table.add_section()
    table.add_row("", _bytes(item.size_before), "", _bytes(item.size_after), "in all", style="dim")
    return [heading, table]


def _side(side: Side | None) -> tuple[Text, Text]:
    if side is None:
        return Text(), Text()
    what = cell(side.name)
    if side.value is not None:
        content = msgspec.json.encode(next(iter(side.value.values()))).decode()
        cut = content if len(content) <= _SHOWN_CHARACTERS else content[:_SHOWN_CHARACTERS] + " ..."
        what = Text.assemble(what, "\n", cell(cut))
    return what, Text(f"{side.type}, {_bytes(side.size_bytes)}")


def _changes(attribute: Attribute) -> Text:
    words = [_CHANGES[change] for change in attribute.changes]
    return Text(", ").join(Text(word, style) for word, style in words)


def _bytes(size: int | None) -> str:
    return "" if size is None else f"{size:,} B"


def _summary(report: PreviewReport) -> Text:
    counts = {outcome: sum(item.outcome == outcome for item in report.items) for outcome in _OUTCOMES}
    told = [f"{number} {outcome}" for outcome, number in counts.items() if number]
    return Text(f"{len(report.items)} items of the source: {', '.join(told)}" if told else "The source has no item.")
