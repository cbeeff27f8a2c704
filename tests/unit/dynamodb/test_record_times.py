"""Whether a source's record times are exact."""

from __future__ import annotations

import pytest

from processor.dynamodb import record_times
from processor.dynamodb.record_times import RecordTimes

NOON = 1_800_000_000 - 1_800_000_000 % 60


@pytest.mark.parametrize(
    ("times", "rounded"),
    [
        ([], False),
        ([NOON, NOON + 60], False),
        ([NOON, NOON, NOON], False),
        ([NOON, NOON + 60, NOON + 180], True),
        ([NOON, NOON + 60, NOON + 61, NOON + 180], False),
    ],
    ids=["none", "too few", "too few different ones", "minutes", "a second among them"],
)
def test_a_source_that_rounds(times: list[int], *, rounded: bool) -> None:
    """It takes three different whole minutes and nothing else."""
    seen = RecordTimes()
    for each in times:
        seen.see(each)
    assert seen.rounded == rounded


def test_dynamodb_local_is_known_by_its_arns() -> None:
    """Whatever has been seen."""
    assert record_times.of_stream("arn:aws:dynamodb:ddblocal:000000000000:table/orders/stream/1").rounded
    assert not record_times.of_stream("arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/1").rounded
