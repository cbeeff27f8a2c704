"""The order in which files of tests are begun: those that take longest first, so that no worker ends long after others.

Where one waits, another has the machine: daemons wait for leases to end, most of what comes later doesn't wait at all.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_ROOT = Path(__file__).parent
# Seconds on two quiet cores beside two other workers, of each file that takes a minute or more; no more than a guide:
# some are estimated, by what a file starts and by runs on a busy machine.
SECONDS = {
    "scenarios/test_wrong_answers.py": 290,
    "chaos/test_chaos.py": 250,
    "faults/test_matrix.py": 260,
    "scenarios/test_fleet.py": 220,
    "scenarios/test_copy.py": 210,
    "scenarios/test_warnings.py": 200,
    "scenarios/test_lease_table.py": 170,
    "scenarios/test_replication.py": 150,
    "scenarios/test_run_sh.py": 150,
    "scenarios/test_start_outages.py": 140,
    "scenarios/test_two_way.py": 120,
    "scenarios/test_docs.py": 110,
    "scenarios/test_docs_two_way.py": 100,
    "scenarios/test_missing_leases.py": 100,
    "scenarios/test_outages.py": 95,
    "scenarios/test_lost_changes.py": 90,
    "scenarios/test_self.py": 90,
    "scenarios/test_hostile_answers.py": 80,
    "scenarios/test_item_view.py": 70,
    "scenarios/test_refusals.py": 70,
    "scenarios/test_start.py": 70,
    "scenarios/test_data_loss.py": 65,
    "aws/test_proof.py": 60,
    "protocol/test_status.py": 60,
    "scenarios/test_fair_shares.py": 60,
    "scenarios/test_many_tasks.py": 60,
    "scenarios/test_shared_copy.py": 60,
    "scenarios/test_shared_verify.py": 60,
}
# Of the rest: daemons are started there, and elsewhere few.
_OF_A_SCENARIO = 20


def put(items: list[pytest.Item]) -> None:
    """Sort the tests by their files; each file's stay together, in their order."""
    counts: dict[Path, int] = {}
    for item in items:
        counts[item.path] = counts.get(item.path, 0) + 1
    items.sort(key=lambda item: (-_seconds(item.path), -counts[item.path], str(item.path)))


def _seconds(path: Path) -> int:
    name = path.relative_to(_ROOT).as_posix() if path.is_relative_to(_ROOT) else ""
    return SECONDS.get(name, _OF_A_SCENARIO if name.startswith("scenarios/") else 0)
