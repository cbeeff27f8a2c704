"""Our child with one of its parts taken out, or measured by itself; ``alone.py`` feeds it.

``BENCH_PART=decode``: nothing is written. ``write``: the first batch is written again and again by the real applier,
and what that took goes to the file that ``BENCH_FIGURES`` names.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from processor.replication import assembly, child
from processor.replication.apply import Applier, Outcome
from processor.replication.change import Change
from processor.replication.record_processor import Shard

_open_shard = assembly.open_shard
_WARM_SECONDS, _SECONDS = 1.5, 4.0


class _Nothing:
    def apply(self, changes: Sequence[Change]) -> Outcome:
        return Outcome(records=len(changes), puts=len(changes))


class _Again:
    def __init__(self, applier: Applier) -> None:
        self._applier = applier

    def apply(self, changes: Sequence[Change]) -> Outcome:
        self._rounds(changes, _WARM_SECONDS)
        began, used = time.monotonic(), time.process_time()
        rounds, outcome = self._rounds(changes, _SECONDS)
        figures = {
            "records": rounds * len(changes),
            "seconds": time.monotonic() - began,
            "cpu": time.process_time() - used,
        }
        Path(os.environ["BENCH_FIGURES"]).write_text(json.dumps(figures))
        return outcome

    def _rounds(self, changes: Sequence[Change], seconds: float) -> tuple[int, Outcome]:
        rounds, deadline = 0, time.monotonic() + seconds
        while True:
            outcome = self._applier.apply(changes)
            rounds += 1
            if time.monotonic() >= deadline:
                return rounds, outcome


def _opened(*given: Any, **named: Any) -> Shard:
    shard = _open_shard(*given, **named)
    part: Any = _Nothing() if os.environ["BENCH_PART"] == "decode" else _Again(shard.applier)
    return msgspec.structs.replace(shard, applier=part)


if __name__ == "__main__":
    assembly.open_shard = _opened
    child.main()
