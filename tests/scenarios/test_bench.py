"""``./test.sh bench``, in small."""

from __future__ import annotations

from pathlib import Path

from tests.bench.load import OURS, PARTS, Load, drain
from tests.scenarios.conftest import Servers

RECORDS = 2500


def test_a_recorded_stream_is_drained_into_a_sink(servers: Servers, tmp_path: Path) -> None:
    """Each record of each shard is written once, and every process' share of the work is seen."""
    course = drain(servers, tmp_path, Load(records=RECORDS, shards=2))
    assert course.samples[-1].done == 2 * RECORDS
    assert set(course.samples[-1].cpu) == set(PARTS)
    assert all(course.samples[-1].cpu[part] > 0 and course.peak_megabytes(part) > 0 for part in OURS)
