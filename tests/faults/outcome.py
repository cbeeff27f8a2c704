"""What became of a cell."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.faults.cells import Cell

GOES_ON = "goes on"
ENDS_SAID = "22, said"
NOT_MADE = "not made"
NO_PART = "no such part"
FAILED = "FAILED"

WORDS = {
    GOES_ON: "everything arrived, and nothing that must hold was broken",
    ENDS_SAID: "the start ended with 22 and its words, and the next one went on",
    NOT_MADE: "the call was not made at that moment",
    NO_PART: "the call's answer has nothing that could be spoiled so",
    FAILED: "something that must hold was broken",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``said``: the events of level WARNING or higher, in their order; ``wrong``: what was broken, where that is."""

    cell: Cell
    word: str
    said: tuple[str, ...] = ()
    said_after_seconds: float | None = None
    seconds: float = 0.0
    wrong: tuple[str, ...] = field(default=())
    logs: str = ""

    @property
    def is_run(self) -> bool:
        """Whether the fault was met at all."""
        return self.word not in (NOT_MADE, NO_PART)
