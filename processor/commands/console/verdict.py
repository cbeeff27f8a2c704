"""How a task stands, as one sentence that is understood at three in the morning. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from processor.reporting import moments
from processor.reporting.durations import duration
from processor.reporting.finding_ids import IDS
from processor.reporting.findings import Finding
from processor.state.care_row import Phase
from processor.state.status import replica, verification
from processor.state.status.keyless import without_keys
from processor.state.status.replica import ReplicaProgress
from processor.state.status.report import StatusReport
from processor.state.status.task_status import TaskStatus

# ``making``: all is well, and the replica is not complete yet.
Level = Literal["ok", "making", "bad", "unknown"]
_LEVELS: dict[int | None, Level] = {0: "ok", 1: "bad", 5: "unknown", 22: "bad", None: "unknown"}
_MAKING: Mapping[Phase, str] = {"created": "Created", "copying": "Copying", "verifying": "Verifying"}
# Whatever else is wrong: what is lost is named first.
_FIRST = ("shard-lost", "shards-lost", "stream-gone", "stream-replaced")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``word`` is the level in a word or two, ``sentence`` the whole, ``behind`` how far the replica is behind."""

    level: Level
    word: str
    sentence: str
    behind: str


LOOKING = Verdict(level="unknown", word="Looking", sentence="The first look is under way.", behind="")


def of(found: TaskStatus, *, bounded: bool = False) -> Verdict:
    """What a look says of a task.

    :param bounded: whether its lags are the most that they can be
    """
    level = _LEVELS.get(found.exit_status, "unknown")
    if found.report is None:
        word = "Unusable" if level == "bad" else "Not known"
        return Verdict(level=level, word=word, sentence=without_keys(found.message), behind="")
    behind = lag(found.report, found.report.lag_seconds, bounded=bounded)
    far = _far(found.report, behind)
    made = found.report.replica or None
    if level == "ok" and made is not None and not made.is_made:
        sentence = f"{_made(made)} {far if found.report.lag_seconds != 0 else 'What is written meanwhile is applied.'}"
        return Verdict(level="making", word=_MAKING[made.phase], sentence=sentence, behind=behind)
    if level == "ok":
        word = "Healthy" if found.report.lag_seconds else "In sync"
        sentence = f"{far} {_verified(found.report)}".strip()
        return Verdict(level=level, word=word, sentence=sentence, behind=behind)
    word = "Not healthy" if level == "bad" else "Not known"
    parts = (_reason(found.findings), "" if made is None or made.is_made else _made(made), far)
    return Verdict(level=level, word=word, sentence=" ".join(filter(None, parts)), behind=behind)


def lag(
    report: StatusReport, seconds: float | None, *, bounded: bool, about: str = "about ", at_most: str = "up to "
) -> str:
    """A lag, and how it is to be taken where it may be wrong: by a minute, or by what only a checkpoint will show."""
    if not seconds:
        return "?" if seconds is None else "0 s"
    bound = about if report.lag_about else at_most if bounded or report.checkpoint_interval_seconds else ""
    return f"{bound}{duration(seconds)}"


def worst(findings: Sequence[Finding]) -> Finding | None:
    """The one that is named first."""
    return min(findings, key=lambda finding: finding.id not in _FIRST, default=None)


def _reason(findings: Sequence[Finding]) -> str:
    first = worst(findings)
    if first is None:
        return ""
    words = IDS[first.id]
    more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
    return f"{words[:1].upper()}{words[1:]}{more}."


def _made(made: ReplicaProgress) -> str:
    """How far it is, and why it does not go on."""
    kind = "being made" if made.lost_ms is None else "being made good"
    return f"The replica is {kind}: {without_keys(replica.sentence(made))}."


def _verified(report: StatusReport) -> str:
    if not report.verification or report.verification.last is None:
        made = report.replica or None
        return "" if made is None or made.verified_ms is None else f"Verified at {moments.short(made.verified_ms)}."
    return f"Verified {verification.outcome(report.verification.last)}."


def _far(report: StatusReport, behind: str) -> str:
    if any(shard.lost for shard in report.shards):
        return ""
    if report.lag_seconds is None:
        return "" if report.state in ("never started", "starting") else "How far the replica is behind is not known."
    if not report.lag_seconds:
        return "Every change is applied." if report.state == "running" else "Every change so far is applied."
    return f"The replica is {behind} behind."
