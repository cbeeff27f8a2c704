"""What the page shows, as JSON that its script lays out: every text is ready, and no item's content is in it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from processor.commands.console import verdict, words
from processor.commands.console.facts import Fact, facts_of
from processor.commands.console.history import Sample
from processor.commands.console.verdict import Level, Verdict
from processor.commands.console.words import counted
from processor.dynamodb.stream_retention import RETENTION_SECONDS
from processor.reporting.durations import duration
from processor.reporting.findings import Finding
from processor.settings.task_files import TaskFile
from processor.state.status import remedies, urgency
from processor.state.status.keyless import without_keys
from processor.state.status.lineage import Lag, ShardState
from processor.state.status.report import StatusReport
from processor.state.status.task_status import TaskStatus

# The most shards that a person reads; status --json has all.
MOST_SHARDS = 100
_HOUR = 3600
# A reason of as many characters is no title.
_LONG = 60


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A number with its name, and what is to be known of it. ``share``: how much of a bar is full, from 0 to 1."""

    id: str
    name: str
    value: str
    note: str = ""
    level: Level = "ok"
    share: float | None = None


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong; ``command`` mends it, or finds what is to be mended, where there is one."""

    id: str
    title: str
    reason: str
    consequence: str
    remedy: str
    command: str | None = None


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the shards' table."""

    id: str
    state: str
    level: Level
    lag: str
    pending: str
    daemon: str
    checkpoint: str
    note: str


class Shards(msgspec.Struct, frozen=True, kw_only=True):
    """The shards: how many stand how, and the worst of them."""

    summary: str
    rows: Sequence[Shard]
    more: str = ""


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


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a task by its last look.

    :param bounded: whether its lags are the most that they can be
    """

    topic: str
    found: TaskStatus
    at_ms: int | None = None
    lags: Mapping[str, Lag] = {}
    bounded: bool = False
    samples: Sequence[Sample] = ()
    latest: Sample | None = None

    @property
    def verdict(self) -> Verdict:
        """In a sentence."""
        return verdict.LOOKING if self.found.exit_status is None else verdict.of(self.found, bounded=self.bounded)

    @property
    def name(self) -> str:
        """The task's, for people."""
        task = self.found.task
        return task.file.name or (task.settings.task_name if task.settings else "")

    @property
    def path(self) -> str:
        """From where to where."""
        settings = self.found.task.settings
        return settings.path if settings else self.found.task.file.path


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
                behind=_behind(each, each.found.report).value if each.found.report else "?",
                left=_left(each.found.report).value if each.found.report else "?",
                pending=_pending(each).value,
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
        wrong=_wrongs(known.found.findings, task.file),
    )
    if report is None:
        return page
    return msgspec.structs.replace(
        page,
        figures=[_behind(known, report), _left(report), _pending(known), *_rates(known)],
        samples=known.samples,
        shards=_shards(known, report),
        facts=facts_of(report, task.file),
    )


def _wrongs(findings: Sequence[Finding], file: TaskFile) -> list[Wrong]:
    """Each command once, beside the first that it mends."""
    found: list[Wrong] = []
    for each in (_wrong(finding, file) for finding in _ordered(findings)):
        is_named = any(each.command == earlier.command for earlier in found)
        found.append(msgspec.structs.replace(each, command=None) if is_named else each)
    return found


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    first = verdict.worst(findings)
    return sorted(findings, key=lambda finding: finding is not first)


def _wrong(finding: Finding, file: TaskFile) -> Wrong:
    value, opened, reason = without_keys(finding.value).partition(" (")
    if not opened or not reason.endswith(")") or len(reason) < _LONG:  # a name, or a few
        value, reason = f"{value}{opened}{reason}", ""
    return Wrong(
        id=finding.id,
        title=f"{finding.object}: {value}.",
        reason=f"{reason[:-1]}." if reason else "",
        consequence=f"{finding.consequence}.",
        remedy=f"{finding.remedy}.",
        command=remedies.of_finding(finding.id, file),
    )


def _behind(known: Known, report: StatusReport) -> Figure:
    is_late = any(finding.id == "shards-late" for finding in report.findings)
    note = "the age of the oldest change that is not applied"
    if report.lag_seconds and report.lag_about:
        note = "the source rounds its records' times to the minute"
    elif report.lag_seconds and report.checkpoint_interval_seconds:
        note = f"checkpoints are stored every {duration(report.checkpoint_interval_seconds)}"
    value = _short(report.lag_seconds, known, report)
    if any(shard.lost for shard in report.shards):
        value = "lost"
    return Figure(
        id="behind",
        name="Behind",
        value=value,
        note=note,
        level="bad" if is_late or value == "lost" else "ok" if report.lag_seconds is not None else "unknown",
    )


def _short(seconds: float | None, known: Known, report: StatusReport) -> str:
    return verdict.lag(report, seconds, bounded=known.bounded, about="≈ ", at_most="≤ ")


def _left(report: StatusReport) -> Figure:
    """What is left of the 24 hours for which the stream keeps a change."""
    name, note = "Time left", "of the 24 h that the stream keeps a change"
    if any(shard.lost for shard in report.shards):
        return Figure(id="left", name=name, value="none", note=note, level="bad", share=0.0)
    if report.lag_seconds is None:
        return Figure(id="left", name=name, value="?", note=note, level="unknown")
    left = max(RETENTION_SECONDS - report.lag_seconds, 0)
    share = round(left / RETENTION_SECONDS, 3)
    value = f"{left / _HOUR:.1f} h" if left >= 2 * _HOUR else duration(left)
    return Figure(id="left", name=name, value=value, note=note, level="ok" if share > 0.5 else "bad", share=share)  # noqa: PLR2004  # where the daemon begins to warn


def _pending(known: Known) -> Figure:
    name, note = "Pending", "records in the stream that are not applied"
    counts = [lag.pending for lag in known.lags.values()]
    seen = [each for each in counts if each is not None]
    if not seen and known.lags:
        return Figure(id="pending", name=name, value="?", note=note, level="unknown")
    total = sum(each.count for each in seen)
    is_more = len(seen) < len(counts) or any(each.more for each in seen)
    return Figure(id="pending", name=name, value=f"{total:,}{'+' if is_more else ''}", note=note)


def _rates(known: Known) -> list[Figure]:
    latest = known.latest
    values = (latest.written, latest.applied) if latest else (None, None)
    notes = ("records a second, written at the source", "records a second, by what checkpoints count")
    return [
        Figure(
            id=name.lower(), name=name, value=words.rate(value), note=note, level="unknown" if value is None else "ok"
        )
        for name, value, note in zip(("Written", "Applied"), values, notes, strict=True)
    ]


def _shards(known: Known, report: StatusReport) -> Shards:
    counts = report.counts
    parts = (
        ("without an owner", counts.unowned),
        ("waiting for a parent", counts.waiting),
        ("being read", counts.reading),
        ("finished", counts.finished),
    )
    rows = sorted((shard for shard in report.shards if shard.state != "finished"), key=urgency.of_shard)
    return Shards(
        summary=", ".join(f"{number:,} {what}" for what, number in parts if number) or "none",
        rows=[_shard(shard, known, report) for shard in rows[:MOST_SHARDS]],
        more=f"and {len(rows) - MOST_SHARDS:,} more; status --json has all of them" if len(rows) > MOST_SHARDS else "",
    )


def _shard(shard: ShardState, known: Known, report: StatusReport) -> Shard:
    lag = known.lags.get(shard.shard_id)
    pending = lag.pending if lag else None
    holds = [hold.kind for hold in report.holds if hold.shard_id == shard.shard_id]
    is_late = (shard.lag_seconds or 0) > report.max_lag_seconds
    is_bad = shard.lost or shard.state == "unowned" or shard.finished_early or bool(holds) or is_late
    waits = {"hold": "held at a change", "outage": "the destination takes no writes", "loss": "has lost changes"}
    note = shard.note or ("for its parent" if shard.state == "waiting" else "")
    return Shard(
        id=shard.shard_id,
        state=shard.state,
        level="bad" if is_bad else "ok" if shard.lag_seconds is not None else "unknown",
        lag="lost" if shard.lost else _short(shard.lag_seconds, known, report),
        pending="?" if pending is None else f"{pending.count:,}{'+' if pending.more else ''}",
        daemon=shard.owner or "nobody",
        checkpoint=shard.checkpoint or "none yet",
        note="; ".join(filter(None, (*(waits[kind] for kind in holds), note))),
    )
