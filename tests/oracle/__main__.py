"""``./test.sh oracle [--cases N] [--seed S]``: drawn condition expressions, by DynamoDB Local and by ours.

A case is one expression, asked of six items. It ends with the first on which they differ, and prints it. Exit status: 0
they never differed, 1 they did.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.oracle.answers import Answer, Difference, Oracle, compare
from tests.oracle.draw import Question, situations

_ITEMS = 6
_QUESTIONS = 20


def main() -> int:
    """Draw, ask both, and say how it went."""
    parser = argparse.ArgumentParser(prog="./test.sh oracle", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    found: Counter[str] = Counter()

    @seed(wanted.seed)
    @settings(
        max_examples=-(-wanted.cases // _QUESTIONS),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(situation=situations(items=_ITEMS, questions=_QUESTIONS))
    def each(situation: tuple[list[dict[str, Any]], list[Question]]) -> None:
        found.update(map(_kind, compare(oracle, *situation)))

    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, DynamoDBLocal(log=Path(folder) / "log") as server:
        oracle = Oracle(server.port)
        with contextlib.closing(oracle):
            try:
                each()
            except Difference as exc:
                print(exc)
                return 1
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(found.items()))
    print(f"{found.total()} expressions, no difference: {kinds}; {time.monotonic() - began:.0f} s")
    return 0


def _kind(answer: Answer) -> str:
    if answer is None:
        return "refused"
    return "true of no item" if not answer else "true of all" if len(answer) == _ITEMS else "true of some"


if __name__ == "__main__":
    sys.exit(main())
