"""All that a fault can be done to, and what a fault is that goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.chaos.fleet import Machine
from tests.chaos.proxies import CheckpointProxy
from tests.chaos.sources import Source
from tests.chaos.task import Task
from tests.fakes.network.fault_proxy import FaultProxy


class NobodyError(Exception):
    """There is nothing that this fault could be done to now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All that a fault can be done to: machines, tasks, and the sources with the ways to their streams."""

    machines: Sequence[Machine]
    tasks: Sequence[Task]
    sources: Sequence[Source]
    streams: Sequence[FaultProxy]
    checkpoints: CheckpointProxy


Undo = Callable[[], None]


def always() -> bool:
    """Whatever happens."""
    return True


@dataclass(frozen=True, slots=True)
class Done:
    """A fault that goes on until ``undo`` is called.

    ``has_met``: whether there was anything yet that it went wrong for.
    """

    detail: str
    undo: Undo | None = None
    has_met: Callable[[], bool] = always
