"""``./test.sh faults --commands``: the second matrix, or the cells that are named, and the page of a whole run."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.startup import java
from tests.conftest import take_environment
from tests.faults.__main__ import bucket_server
from tests.faults.commands import report
from tests.faults.commands.cells import Cell, Outcome, cells_of, made_by, run, sample
from tests.faults.commands.errands import ERRANDS
from tests.faults.world import Servers

# DynamoDB Local keeps a stream's records after their table is gone, and its memory fills with them.
_CELLS_OF_A_SERVER = 100
_PAGE = java.ROOT / "docs" / "faults-of-commands.md"


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """What the cells of a part share."""
    with DynamoDBLocal(log=folder / "dynamodb-local.log") as local, bucket_server() as moto:
        yield Servers(dynamodb=local.endpoint, moto=moto)


def main() -> int:
    """Run it.

    :returns: 0 if everything held in every cell, else 1
    """
    parser = argparse.ArgumentParser(prog="./test.sh faults --commands", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which parts, codes and later calls (default: 1)")
    parser.add_argument("--only", metavar="ERRAND[:CALL[:FAULT[:MOMENT]]]", default="", help="cells that begin so")
    parser.add_argument("--sample", type=int, metavar="COUNT", help="so many of these cells, by seed")
    parser.add_argument("--lanes", type=int, default=4, help="how many cells at once (default: 4)")
    parser.add_argument("--report", type=Path, help="write the outcomes here, as JSON (see commands/report.py)")
    given = parser.parse_args()
    take_environment()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    with servers(folder) as shared:
        cells = _chosen(given.only, folder, shared)
    if not cells:
        parser.error(f"--only {given.only}: there is no such cell. Errands: {', '.join(e.name for e in ERRANDS)}")
    if given.sample:
        cells = sample(cells, given.seed, given.sample)
    outcomes = _run(cells, given.seed, given.lanes, folder)
    file: Path = given.report or folder / "faults.json"
    file.write_text(json.dumps(report.as_json(outcomes, seed=given.seed), indent=1) + "\n")
    if not given.only and not given.sample:
        _PAGE.write_text(report.page(outcomes, seed=given.seed))
    failed = sum(bool(each.wrong) for each in outcomes)
    print(f"{len(outcomes)} cells, {failed} failed; seed {given.seed}. All of it: {file}")
    return int(failed > 0)


def _chosen(only: str, folder: Path, shared: Servers) -> list[Cell]:
    errands = [errand for errand in ERRANDS if not only or errand.name.startswith(only.partition(":")[0])]
    cells = [cell for errand in errands for cell in cells_of(errand, made_by(errand, folder, shared))]
    return [cell for cell in cells if cell.name.startswith(only)]


def _run(cells: Sequence[Cell], seed: int, lanes: int, folder: Path) -> list[Outcome]:
    lock, numbers = threading.Lock(), itertools.count(1)
    outcomes: list[Outcome] = []

    def one(cell: Cell, shared: Servers) -> Outcome:
        outcome = run(cell, seed, folder, shared)
        with lock:
            print(report.line(outcome, next(numbers), len(cells)), flush=True)
        return outcome

    for first in range(0, len(cells), _CELLS_OF_A_SERVER):
        some = cells[first : first + _CELLS_OF_A_SERVER]
        with servers(folder) as shared, ThreadPoolExecutor(lanes) as pool:
            outcomes += pool.map(partial(one, shared=shared), some)
    return outcomes


if __name__ == "__main__":
    raise SystemExit(main())
