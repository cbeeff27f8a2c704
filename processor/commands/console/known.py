"""What is known of a task by its last look. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from processor.commands.console import verdict
from processor.commands.console.history import Sample
from processor.commands.console.verdict import Verdict
from processor.state.status.lineage import Lag
from processor.state.status.report import StatusReport
from processor.state.status.task_status import TaskStatus


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

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

    def lag(self, report: StatusReport, seconds: float | None) -> str:
        """A lag in a few characters, with a sign where it may be wrong."""
        return verdict.lag(report, seconds, bounded=self.bounded, about="≈ ", at_most="≤ ")
