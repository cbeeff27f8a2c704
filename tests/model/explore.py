"""A breadth-first checker: every state that steps can reach, so that a counterexample is a shortest one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple, TypeVar

S = TypeVar("S", bound=Hashable)


class Explored(NamedTuple):
    """``violation`` is None where none was found; else ``trace`` leads there. ``is_whole``: no state is left out."""

    states: int
    is_whole: bool
    violation: str | None = None
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.violation is not None:
            steps = "".join(f"\n      {step}" for step in self.trace)
            return f"VIOLATED after {self.states:,} states: {self.violation}{steps}"
        return f"holds in {'all' if self.is_whole else 'the first'} {self.states:,} states"


def explore(
    first: S,
    steps: Callable[[S], Iterable[tuple[str, S]]],
    violation: Callable[[S], str | None],
    *,
    most_states: int,
) -> Explored:
    """Look at states until a violation is found, or ``most_states`` are."""
    came_from: dict[S, tuple[S, str] | None] = {first: None}
    queue = deque([first])
    while queue:
        state = queue.popleft()
        found = violation(state)
        if found is not None:
            return Explored(len(came_from), is_whole=False, violation=found, trace=_trace(state, came_from))
        if len(came_from) > most_states:
            return Explored(len(came_from), is_whole=False)
        for label, after in steps(state):
            if after not in came_from:
                came_from[after] = (state, label)
                queue.append(after)
    return Explored(len(came_from), is_whole=True)


def _trace(state: S, came_from: dict[S, tuple[S, str] | None]) -> tuple[str, ...]:
    trace: list[str] = []
    while (before := came_from[state]) is not None:
        state, label = before
        trace.append(label)
    return tuple(reversed(trace))
