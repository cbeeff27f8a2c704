"""How many cores a process may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from processor.system import cores


@pytest.mark.parametrize(
    ("quota", "count"),
    [("max 100000", 8), ("150000 100000", 2), ("100000 100000", 1), ("1000 100000", 1), ("900000 100000", 8), ("", 8)],
)
def test_a_containers_share_counts(quota: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded up, and no more than the machine has."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    file = tmp_path / "cpu.max"
    assert cores.available(file) == 8
    file.write_text(quota)
    assert cores.available(file) == count
