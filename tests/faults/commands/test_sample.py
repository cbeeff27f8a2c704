"""A sample of the commands' matrix, by seed, and a planted bug that it must notice; ``./test.sh faults --commands``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.fakes.machine.planted import planted_checkout
from tests.faults.__main__ import bucket_server
from tests.faults.cells import FAULTS
from tests.faults.commands import report
from tests.faults.commands.cells import Cell, Outcome, cells_of, made_by, run, sample
from tests.faults.commands.desk import Made
from tests.faults.commands.errands import ERRANDS
from tests.faults.world import Servers

pytestmark = pytest.mark.timeout(900)

SEED = 1
SCANS = Made("source", "Scan", 4)
FIRST_IS_BELIEVED = {
    "processor/dynamodb/scanner.py": ("    if page.last_key is not None:\n        return page\n", "    return page\n")
}


@pytest.fixture(scope="module")
def servers(dynamodb: DynamoDBLocal) -> Iterator[Servers]:
    """What all cells share."""
    with bucket_server() as moto:
        yield Servers(dynamodb=dynamodb.endpoint, moto=moto)


@pytest.mark.parametrize("name", ["copy", "repair", "redrive", "unmark"])
def test_a_command_meets_single_faults(name: str, servers: Servers, tmp_path: Path) -> None:
    """It does what it was asked for, or says why not, and the next one does."""
    errand = next(each for each in ERRANDS if each.name == name)
    once = [each for each in cells_of(errand, made_by(errand, tmp_path, servers)) if each.moment != "outage"]
    outcomes = [run(cell, SEED, tmp_path, servers) for cell in sample(once, SEED, 3)]
    assert [(each.cell.name, each.wrong, each.errors) for each in outcomes if each.wrong] == []


def test_a_planted_bug_is_noticed(servers: Servers, tmp_path: Path) -> None:
    """A copy that takes one empty page for an empty table ends with 0, and has copied nothing."""
    root = planted_checkout(tmp_path / "planted", FIRST_IS_BELIEVED)
    cell = Cell(errand=ERRANDS[0], call=SCANS, fault="empty-list", moment="later")
    outcome = run(cell, SEED, tmp_path, servers, root=root)
    assert "items are not there as they are at the source" in "".join(outcome.wrong)


def test_the_cells_and_the_page() -> None:
    """Each cell has a name of its own; a lie is not told for long; the page shows what ended a command, what failed."""
    errand = ERRANDS[0]
    made = list(cells_of(errand, [SCANS, Made("source", "DescribeTable", 1)]))
    assert len({cell.name for cell in made}) == len(made) == 2 * 3 * len(FAULTS) - len(FAULTS) - 2 * 3
    assert sample(made, 1, 5) == sample(made, 1, 5) != sample(made, 2, 5)
    outcomes = [Outcome(cell=cell, status=0, seconds=1.0) for cell in made]
    outcomes[0] = Outcome(cell=made[0], status=5, seconds=1.0)
    shown = report.page(outcomes, seed=1)
    assert "| `source.Scan` | 5 | goes on |" in shown
    assert "**FAILED**" not in shown
    outcomes[0] = Outcome(cell=made[0], status=5, seconds=1.0, wrong=("x",), errors="words")
    assert "| `source.Scan` | **FAILED** |" in report.page(outcomes, seed=1)
    assert report.as_json(outcomes[:1], seed=1)["cells"][0]["wrong"] == ["x"]
    assert "FAILED: x" in report.line(outcomes[0], 1, 1)
