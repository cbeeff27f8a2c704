"""What the page shows, as JSON that its script lays out: every text is ready, and no item's content is in it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from processor.commands.console import figures, shards, words, wrongs
from processor.commands.console.facts import Fact, facts_of
from processor.commands.console.figures import Figure
from processor.commands.console.history import Sample
from processor.commands.console.known import Known
from processor.commands.console.shards import Shards
from processor.commands.console.verdict import Verdict
from processor.commands.console.words import counted
from processor.commands.console.wrongs import Wrong
from processor.state.status import urgency


class TaskPage(msgspec.Struct, frozen=True, kw_only=True):
    """All of one task. ``at_ms`` is when it was looked at, milliseconds since the epoch; None before the first look."""

    kind: str = "task"
    name: str
    path: str
    verdict: Verdict
    at_ms: int | None
    figures: Sequence[Figure] = ()
    samples: Sequence[Sample] = ()
    wrong: Sequence[Wrong] = ()
    shards: Shards | None = None
    facts: Sequence[Fact] = ()


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """One of many tasks. ``topic`` is its name in the page's address."""

    topic: str
    name: str
    path: str
    verdict: Verdict
    at_ms: int | None
    behind: str
    left: str
    pending: str
    applied: str


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """Many tasks, the worst first."""

    kind: str = "list"
    verdict: Verdict
    at_ms: int | None
    tasks: Sequence[TaskLine]


def of_many(known: Sequence[Known]) -> ListPage:
    """The list, and a sentence for all."""
    ordered = sorted(known, key=lambda each: urgency.of_task(each.found))
    seen = [each.at_ms for each in known if each.at_ms is not None]
    return ListPage(
        verdict=_together([each.verdict for each in ordered]),
        at_ms=max(seen, default=None),
        tasks=[
            TaskLine(
                topic=each.topic,
                name=each.name,
                path=each.path,
                verdict=each.verdict,
                at_ms=each.at_ms,
                behind=figures.behind(each, each.found.report).value if each.found.report else "?",
                left=figures.left(each.found.report).value if each.found.report else "?",
                pending=figures.pending(each).value,
                applied=words.rate(each.latest.applied if each.latest else None),
            )
            for each in ordered
        ],
    )


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    if not verdicts:
        return Verdict(level="unknown", word="No task", sentence="There is no task's file any more.", behind="")
    count = Counter(each.level for each in verdicts)
    tasks = counted(len(verdicts), "task")
    if count["bad"]:
        sentence = f"{count['bad']} of {tasks} {'need' if count['bad'] > 1 else 'needs'} somebody."
        return Verdict(level="bad", word="Not healthy", sentence=sentence, behind="")
    if count["unknown"]:
        sentence = f"Of {count['unknown']} of {tasks} it is not known."
        return Verdict(level="unknown", word="Not known", sentence=sentence, behind="")
    making = count["making"]
    if making:
        sentence = f"Of {making} of {tasks} the replica is being made."
        return Verdict(level="making", word="All healthy", sentence=sentence, behind="")
    return Verdict(level="ok", word="All healthy", sentence=f"{tasks[:1].upper()}{tasks[1:]}.", behind="")


def of_none(topic: str) -> TaskPage:
    """A tab is open of a task whose file has gone; when there is one again, the tab shows it."""
    return TaskPage(
        name=topic,
        path="",
        verdict=Verdict(level="unknown", word="No task", sentence="Its file is gone.", behind=""),
        at_ms=None,
    )


def of_task(known: Known) -> TaskPage:
    """Everything of one task."""
    report, task = known.found.report, known.found.task
    page = TaskPage(
        name=known.name,
        path=known.path,
        verdict=known.verdict,
        at_ms=known.at_ms,
        wrong=wrongs.of_findings(known.found.findings, task.file),
    )
    if report is None:
        return page
    return msgspec.structs.replace(
        page,
        figures=[
            figures.behind(known, report),
            figures.left(report),
            figures.pending(known),
            *figures.rates(known),
        ],
        samples=known.samples,
        shards=shards.of_report(known, report),
        facts=facts_of(report, task.file),
    )
