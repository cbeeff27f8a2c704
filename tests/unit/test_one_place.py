"""What is decided in one place is decided nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.aws.errors import DENIALS, KINDS, STALE_CREDENTIALS

ROOT = Path(__file__).parents[2] / "processor"
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.rglob("*.py")}


def _having(text: str) -> set[str]:
    return {name for name, source in SOURCES.items() if text in source}


def test_a_table_is_described_in_one_module() -> None:
    """DescribeTable has one caller; whoever wants to know a table asks that."""
    assert _having(".describe_table(") == {"dynamodb/describe.py"}


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "ResourceInUseException"])
def test_kinds_of_failure_are_classes(code: str) -> None:
    """Nobody above ``aws/`` compares the code; ``errors.py`` has it as what is said where no answer had one."""
    assert {name for name in _having(f'"{code}"') if not name.startswith("aws/")} <= {"errors.py"}


def test_time_and_threads_know_no_aws() -> None:
    """``flow/`` tells failures by their classes."""
    codes = DENIALS | STALE_CREDENTIALS | KINDS.keys()
    found = {code for name, source in SOURCES.items() if name.startswith("flow/") for code in codes if code in source}
    assert found - {"403"} == set()
    assert not {name for name in _having("processor.aws") if name.startswith("flow/")}


def test_outages_are_said_in_one_module() -> None:
    """An event that ends in ``_over`` is the end of one, and no loop says it by itself."""
    assert _having('_over"') <= {"flow/outage.py", "replication/standstill.py"}
