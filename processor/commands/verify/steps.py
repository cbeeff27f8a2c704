"""Shows how far a comparison is, step by step, to people and to Prometheus."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from processor.metrics import instruments
from processor.metrics.command_metrics import CommandMetrics
from processor.reporting.progress import Bar

if TYPE_CHECKING:
    from processor.settings.settings import Settings


@dataclass(slots=True)
class Step:
    """One of a comparison's; ``expected`` is an estimate of the items, 0 if there is none."""

    name: str
    expected: int = 0
    done: int = 0


class Steps:
    """A bar for each step, and its metrics. For one thread."""

    def __init__(self, metrics: CommandMetrics) -> None:
        self._metrics = metrics
        self._bar = contextlib.ExitStack()
        self._step: Step | None = None

    def say(self, step: Step) -> None:
        """Show the progress."""
        if step is not self._step:
            self.close()
            self._step, self._shown = step, self._bar.enter_context(Bar())
        self._shown.update(step.done, step.expected, step.name)
        self._metrics.tell(step.done, step.expected, step.name)

    def close(self) -> None:
        """Finish the terminal's line."""
        self._bar.close()


@contextlib.contextmanager
def shown(settings: Settings) -> Iterator[Steps]:
    """The steps of one comparison, for as long as the context is entered."""
    with (
        CommandMetrics(settings, items=instruments.VERIFY_ITEMS, progress=instruments.VERIFY_PROGRESS) as metrics,
        contextlib.closing(Steps(metrics)) as steps,
    ):
        yield steps
