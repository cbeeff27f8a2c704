"""The order of the files of tests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests import longest_first

ROOT = Path(longest_first.__file__).parent


def test_each_file_of_the_order_is_there() -> None:
    """By its path in tests/."""
    assert [name for name in longest_first.SECONDS if not (ROOT / name).exists()] == []


def test_files_stay_together_and_the_longest_come_first() -> None:
    """Then scenarios, then what has the most tests; a file's tests keep their order."""
    names = ["unit/test_a.py", "scenarios/test_x.py", "unit/test_b.py", "chaos/test_chaos.py", "unit/test_b.py"]
    items: list[Any] = [SimpleNamespace(path=ROOT / name, number=number) for number, name in enumerate(names)]
    longest_first.put(items)
    assert [item.number for item in items] == [3, 1, 2, 4, 0]
