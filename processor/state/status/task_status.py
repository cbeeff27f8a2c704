"""How one of several tasks stands: its report, or why there is none. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from processor.reporting.findings import Finding
from processor.reporting.task_output import TaskOutcome
from processor.settings.named_task import NamedTask
from processor.state.status.report import StatusReport


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """How one of the tasks stands.

    :param exit_status: None if it was not looked at
    :param report: None if it could not be made; ``message`` says why not, and ``reasons`` has its findings
    """

    task: NamedTask
    exit_status: int | None
    report: StatusReport | None = None
    message: str = ""
    reasons: tuple[Finding, ...] = ()

    @property
    def outcome(self) -> TaskOutcome:
        """As an element of ``--json``'s list."""
        wrong = " ".join(finding.text for finding in self.findings)
        return self.task.outcome(
            self.exit_status, result=self.report, message=self.message, reasons=self.reasons, wrong=wrong
        )

    @property
    def findings(self) -> list[Finding]:
        """All that is wrong with it, by itself and beside the others."""
        return [*self.task.findings, *(self.report.findings if self.report else ())]

    @property
    def has_losses(self) -> bool:
        """Whether changes of a shard are lost."""
        return self.report is not None and any(shard.lost for shard in self.report.shards)
