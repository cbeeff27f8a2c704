"""What is wrong with a task, each with the command that mends it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from processor.commands.console import verdict
from processor.reporting.findings import Finding
from processor.settings.task_file import TaskFile
from processor.state.status import remedies
from processor.state.status.keyless import without_keys

# A reason of as many characters is no title.
_LONG = 60


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong; ``command`` mends it, or finds what is to be mended, where there is one."""

    id: str
    title: str
    reason: str
    consequence: str
    remedy: str
    command: str | None = None


def of_findings(findings: Sequence[Finding], file: TaskFile) -> list[Wrong]:
    """The worst first; each command once, beside the first that it mends."""
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
