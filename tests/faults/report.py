"""The outcomes, for people while they come and at the end, for programs as JSON, and as docs/faults.md.

The JSON: ``seed``; ``seconds`` of the whole run; ``counts`` of cells by outcome; ``cells``, each with ``cell`` (its
name), ``outcome`` (a word of ``outcome.py``), ``seconds``, ``said`` (events of level WARNING or higher), and, where it
failed, ``wrong`` (what was broken) and ``logs`` (the folder of its daemons' logs).
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.faults.cells import CALLS, FAULTS, MOMENTS, chosen
from tests.faults.outcome import ENDS_SAID, FAILED, GOES_ON, WORDS, Outcome

_NONE = "-"
_KEPT_EVERY = 10
_OPENING = """# Fault matrix

Every call that the replicator makes, each single thing that can go wrong with it, at each moment: what came of it. The
runs themselves write this page, on the real daemon with DynamoDB Local, moto and a simulated stream (`./test.sh faults
--seed {seed}`): {cells} cells, of which {run} were met; the others are calls that are not made at that moment, and
answers that have nothing to spoil. `./test.sh` runs a sample.

In each cell must hold:

- the tables end equal, in every shard, for what is written before the fault and after it;
- no lease goes unless its shard is finished, and none is finished whose shard is open;
- no checkpoint passes what is not applied;
- where both tables are written to (`hub`, `spoke`, `conflicts`), both hold what was written last at either, and what
  has not got to the hub is kept as a conflict;
- no process ends, and a stop ends with 0;
- nothing that passes is said as an ERROR; what lasts and keeps changes back is said within seconds.

`{failed}` stands where one of these did not."""
_WORDS = """*{goes_on}*: {good}, whichever the moment. *{ends}*: {end}. *{none}*: the call was not made, or its answer
has nothing that could be spoiled so."""
_SAID = """The event that comes first, where one does; elsewhere other calls do the same work, or it is done later."""
_CLOSING = """Which part of an answer is missing or of another type, which code and which end of a connection: that goes
by moment and seed, so another seed meets others."""


class Progress:
    """Says each outcome as it comes, and keeps the JSON up to date; any thread may tell one.

    :param before: outcomes of an earlier run that this one goes on with
    """

    def __init__(self, total: int, file: Path, *, seed: int, before: Sequence[Outcome] = ()) -> None:
        self.outcomes: list[Outcome] = list(before)
        self._total = total
        self._file = file
        self._seed = seed
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def tell(self, outcome: Outcome) -> None:
        """One more."""
        with self._lock:
            self.outcomes.append(outcome)
            passed = self.seconds
            said = f"  ({', '.join(outcome.said)})" if outcome.said else ""
            print(
                f"{passed:7.1f} s {len(self.outcomes):5}/{self._total}  {outcome.cell.name:55} {outcome.word:12}"
                f" {outcome.seconds:5.1f} s{said}",
                flush=True,
            )
            for each in outcome.wrong:
                print(f"{'':26}{each}", flush=True)
            if outcome.logs:
                print(f"{'':26}logs: {outcome.logs}", flush=True)
            if len(self.outcomes) % _KEPT_EVERY == 0:
                self.keep()

    @property
    def seconds(self) -> float:
        """How long this run has taken."""
        return time.monotonic() - self._began

    def keep(self) -> None:
        """Write the JSON."""
        content = as_json(self.outcomes, seed=self._seed, seconds=self.seconds)
        self._file.write_text(json.dumps(content, indent=1) + "\n")


def as_json(outcomes: Sequence[Outcome], *, seed: int, seconds: float) -> dict[str, Any]:
    """The report for programs."""
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "counts": dict(Counter(outcome.word for outcome in outcomes)),
        "cells": [
            {
                "cell": outcome.cell.name,
                "outcome": outcome.word,
                "seconds": round(outcome.seconds, 1),
                "said": list(outcome.said),
                **({"wrong": list(outcome.wrong), "logs": outcome.logs} if outcome.wrong else {}),
            }
            for outcome in sorted(outcomes, key=lambda each: each.cell.name)
        ],
    }


def read(file: Path, *, seed: int) -> list[Outcome]:
    """The outcomes of a run of the same seed, without those that failed.

    :raises ValueError: it is of another seed, or no report
    """
    content = json.loads(file.read_text())
    if not isinstance(content, dict) or content.get("seed") != seed:
        raise ValueError(f"{file} is no report of a run with --seed {seed}")
    return [
        Outcome(cell=chosen(each["cell"])[0], word=each["outcome"], said=tuple(each["said"]), seconds=each["seconds"])
        for each in content["cells"]
        if each["outcome"] != FAILED
    ]


# --- docs/faults.md --------------------------------------------------------------------------------------------------


def page(outcomes: Sequence[Outcome], *, seed: int) -> str:
    """The page of a whole run: call by fault, then call by moment."""
    run = sum(outcome.is_run for outcome in outcomes)
    opening = _OPENING.format(seed=seed, cells=len(outcomes), run=run, failed=FAILED)
    by_fault = _table("call", FAULTS, outcomes, _cell)
    said = _table("call", FAULTS, outcomes, _said)
    made = _table("call", MOMENTS, outcomes, _made)
    words = _WORDS.format(goes_on=GOES_ON, good=WORDS[GOES_ON], ends=ENDS_SAID, end=WORDS[ENDS_SAID], none=_NONE)
    parts = (
        opening,
        f"## Call and fault\n\n{by_fault}\n\n{words}",
        f"## What is said while a fault lasts\n\n{_SAID}\n\n{said}",
        f"## When a call is made\n\n{made}",
        f"## Faults and moments\n\n{_glossary('fault', 'what it is', FAULTS)}",
        _glossary("moment", "when the fault is met", MOMENTS),
        _CLOSING,
    )
    return "\n\n".join(parts) + "\n"


def _table(
    corner: str, columns: Iterable[str], outcomes: Sequence[Outcome], cell: Callable[[Sequence[Outcome], str], str]
) -> str:
    names = list(columns)
    lines = [f"| {corner} | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for call in CALLS:
        found = [outcome for outcome in outcomes if outcome.cell.call == call]
        lines.append(f"| `{call.name}` | {' | '.join(cell(found, name) for name in names)} |")
    return "\n".join(lines)


def _glossary(left: str, right: str, words: Mapping[str, str]) -> str:
    return "\n".join([f"| {left} | {right} |", "|---|---|", *(f"| {name} | {text} |" for name, text in words.items())])


def _cell(outcomes: Sequence[Outcome], fault: str) -> str:
    found = [outcome for outcome in outcomes if outcome.cell.fault == fault and outcome.is_run]
    failed = [outcome.cell.moment for outcome in found if outcome.word == FAILED]
    if failed:
        return f"**{FAILED}**: {', '.join(moment for moment in MOMENTS if moment in failed)}"
    ended = any(outcome.word == ENDS_SAID for outcome in found)
    return f"{GOES_ON}; {ENDS_SAID}" if ended else GOES_ON if found else _NONE


def _said(outcomes: Sequence[Outcome], fault: str) -> str:
    found = [o for o in outcomes if o.cell.fault == fault and o.cell.moment == "outage" and o.said]
    return f"`{found[0].said[0]}`" if found else _NONE


def _made(outcomes: Sequence[Outcome], moment: str) -> str:
    return "yes" if any(outcome.cell.moment == moment and outcome.is_run for outcome in outcomes) else _NONE
