"""A message, as people read it in a mail or on a telephone at three in the morning. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from processor.caretaker.notify.change import Event
from processor.caretaker.notify.notice import Kept, Notice, Wrong
from processor.caretaker.notify.told import Health
from processor.reporting.durations import duration
from processor.reporting.finding_ids import IDS
from processor.system import program

_WIDTH = 100
_HEALTH: Mapping[Health, str] = {
    "inSync": "in sync",
    "behind": "behind",
    "unknown": "not known",
    "notHealthy": "not healthy",
    "held": "held",
    "loss": "changes lost",
}
_EVENTS: Mapping[Event, str] = {
    "inSync": "in sync",
    "recovered": "recovered",
    "behind": "behind",
    "unknown": "not known",
    "notHealthy": "not healthy",
    "held": "held",
    "loss": "changes lost",
    "deadLetter": "dead letters",
    "conflict": "conflicts",
}


def subject(notice: Notice) -> str:
    """Of a mail."""
    return f"{_EVENTS[notice.event].upper()}: {notice.task}: {_what(notice)}"


def headline(notice: Notice) -> str:
    """All of it in a sentence."""
    source, destination = notice.source, notice.destination
    path = f"{source.table} ({source.region}) -> {destination.table} ({destination.region})"
    return f"{_EVENTS[notice.event].capitalize()}: {path}: {_what(notice)}."


def body(notice: Notice) -> str:
    """The whole text: what is so, what is wrong, what follows, and the command that mends it."""
    return "\n".join(_lines(notice)).rstrip() + "\n"


def _lines(notice: Notice) -> Iterator[str]:
    yield headline(notice)
    yield ""
    yield f"Task {notice.task}: {_HEALTH[notice.health]} since {notice.since}{_before(notice)}."
    if notice.lag_seconds and not any(each.id in {"shards-lost", "shard-lost"} for each in notice.wrong):
        yield f"The replica is {duration(notice.lag_seconds)} behind."
    if notice.changes_not_told:
        times = "once more" if notice.changes_not_told == 1 else f"{notice.changes_not_told} more times"
        yield f"It comes and goes: since the last message it has changed {times}, of which nobody was told."
    for number, each in enumerate(notice.wrong, 1):
        yield ""
        yield from _wrong(number, each)
    if notice.more_wrong:
        yield ""
        yield f"And {notice.more_wrong} more; status has all of them."
    yield ""
    yield from _kept("Dead letters (changes set aside)", notice.dead_letters)
    yield from _kept("Conflicts", notice.conflicts)
    yield f"How it stands now:  {notice.status_command}"
    if " FILE" in notice.status_command:
        yield f"FILE is the properties file of the task {notice.task}."
    yield ""
    yield f"Message {notice.number} of this task, of {notice.at}, by {program.NAME} (notifyUri)."


def _before(notice: Notice) -> str:
    if notice.before is None:
        return "; this is the first message"
    return "" if notice.before == notice.health else f"; it was {_HEALTH[notice.before]} before"


def _what(notice: Notice) -> str:
    """The foremost thing, in a clause."""
    if notice.event == "deadLetter" and notice.dead_letters:
        return f"{_number(notice.dead_letters)} kept, {notice.dead_letters.added:,} new"
    if notice.event == "conflict" and notice.conflicts:
        return f"{_number(notice.conflicts)} kept, {notice.conflicts.added:,} new"
    if not notice.wrong:
        return f"{duration(notice.lag_seconds)} behind" if notice.lag_seconds else "every change is applied"
    more = len(notice.wrong) + notice.more_wrong - 1
    return f"{IDS[notice.wrong[0].id]}{f', and {more} more' if more else ''}"


def _wrong(number: int, each: Wrong) -> Iterator[str]:
    yield from _folded(f"{number}. ", f"{each.object}: {each.value}.")
    yield from _folded("   ", f"{each.consequence}.")
    yield from _folded("   ", f"{each.remedy}.")
    if each.command:
        yield f"   {each.command}"


def _folded(indent: str, text: str) -> list[str]:
    rest = " " * len(indent)
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _kept(name: str, kept: Kept | None) -> Iterator[str]:
    if kept is not None and kept.count:
        new = f", {kept.added:,} of them new" if kept.added else ""
        yield f"{name}: {_number(kept)} in {kept.place}{new}." + (f"  {kept.command}" if kept.command else "")


def _number(kept: Kept) -> str:
    return f"{'more than ' if kept.more else ''}{kept.count:,}"
