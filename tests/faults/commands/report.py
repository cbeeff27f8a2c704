"""The outcomes for people while they come, as JSON for programs, and as docs/faults-of-commands.md.

The JSON: ``seed``; ``cells``, each with ``cell`` (its name), ``status`` (what the command ended with; null where the
fault was not met), ``seconds``, and, where something is wrong, ``wrong`` and ``errors`` (the command's own words).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.faults.cells import FAULTS
from tests.faults.commands.cells import MOMENTS, Outcome
from tests.faults.commands.errands import ERRANDS, Errand
from tests.faults.outcome import FAILED

_NONE = "-"
_OPENING = """# Faults that commands meet

Every call that a command makes, each single thing that can go wrong with it, at the first such call, at a later one,
and for five seconds: what came of it. The runs themselves write this page, with DynamoDB Local and moto
(`./test.sh faults --commands --seed {seed}`): {cells} cells, of which {met} were met; the others are answers that have
nothing to spoil. [The other one](faults.md) is of daemons, and says what each fault is. `./test.sh` runs a sample.

In each cell must hold:

- a command that ends with 0 has done what it was asked for, and what it counts is so: by a look past everything that
  goes wrong, `copy` and `verify --repair` have made the tables equal, `verify` has found each difference and no other,
  no dead letter has gone whose key is not settled, `unmark` has left no marker and changed nothing else;
- nothing that the source has is deleted, and the source is not written to;
- a command that can't go on ends with 5 or 22 and says why (`redrive` with 1, if a letter must stay), and the next run,
  in which nothing goes wrong, does what was asked for;
- a call that fails once in the midst of the work ends nothing;
- none hangs, and none ends with a trace.

`{failed}` stands where one of these did not."""
_WORDS = """A number is what a command ended with, where the fault ended it at some moment, with its words; *goes on*:
it ended as it does where nothing goes wrong; *-*: the answer has nothing that could be spoiled so. A lie that is told
each time for five seconds (an empty answer, a part that is missing) is in no cell: nobody can know it."""


def line(outcome: Outcome, number: int, total: int) -> str:
    """One outcome, for people."""
    word = f"{_NONE if outcome.status is None else outcome.status:>4}"
    lines = [f"{number:5}/{total}  {outcome.cell.name:75} {word} {outcome.seconds:5.1f} s"]
    lines += [f"{'':14}{FAILED}: {each}" for each in outcome.wrong]
    return "\n".join([*lines, *([outcome.errors] if outcome.errors else [])])


def as_json(outcomes: Sequence[Outcome], *, seed: int) -> dict[str, Any]:
    """The report for programs."""
    return {
        "seed": seed,
        "cells": [
            {
                "cell": each.cell.name,
                "status": each.status,
                "seconds": round(each.seconds, 1),
                **({"wrong": list(each.wrong), "errors": each.errors} if each.wrong else {}),
            }
            for each in sorted(outcomes, key=lambda each: each.cell.name)
        ],
    }


def page(outcomes: Sequence[Outcome], *, seed: int) -> str:
    """The page of a whole run."""
    met = sum(each.status is not None for each in outcomes)
    opening = _OPENING.format(seed=seed, cells=len(outcomes), met=met, failed=FAILED)
    tables = [f"## {errand.name.capitalize()}\n\n{_table(errand, outcomes)}" for errand in ERRANDS]
    moments = ["| moment | which call meets the fault |", "|---|---|", *(f"| {a} | {b} |" for a, b in MOMENTS.items())]
    return "\n\n".join([opening, _WORDS, *tables, "## Moments\n\n" + "\n".join(moments)]) + "\n"


def _table(errand: Errand, outcomes: Sequence[Outcome]) -> str:
    mine = [each for each in outcomes if each.cell.errand is errand]
    calls = sorted({each.cell.call.name for each in mine})
    words = " ".join(["./run.sh", errand.command, "FILE", *errand.options])
    settings = "".join(f", `{name}={value}`" for name, value in errand.settings.items())
    lines = [f"`{words}`{settings}; it ends with {errand.status}.", ""]
    lines += [f"| call | {' | '.join(FAULTS)} |", f"|---|{'---|' * len(FAULTS)}"]
    for call in calls:
        of_call = [each for each in mine if each.cell.call.name == call]
        lines.append(f"| `{call}` | {' | '.join(_word(of_call, fault) for fault in FAULTS)} |")
    return "\n".join(lines)


def _word(outcomes: Sequence[Outcome], fault: str) -> str:
    found = [each for each in outcomes if each.cell.fault == fault]
    if any(each.wrong for each in found):
        return f"**{FAILED}**"
    statuses = sorted({each.status for each in found if each.status not in (None, each.cell.errand.status)}, key=str)
    if statuses:
        return ", ".join(map(str, statuses))
    return "goes on" if any(each.status is not None for each in found) else _NONE
