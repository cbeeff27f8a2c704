"""What a task will cost a month, as docs/tuning.md has it."""

from __future__ import annotations

from typing import Any

import pytest

from processor.commands.check import cost
from processor.startup.facts import Facts
from tests.fakes.task.tasks import task

SOURCE: dict[str, Any] = {"TableName": "orders", "TableSizeBytes": 0}


def _of(shards: int | None = 1, source: dict[str, Any] | None = SOURCE, **given: str) -> cost.MonthlyCost:
    made = cost.estimate(task(**given), Facts(source=source, open_shards=shards))
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("given", "idle", "busy"),
    [
        ({}, 1.5, 17.5),
        ({"checkpointIntervalMillis": "1000"}, 1.5, 6.7),
        ({"checkpointIntervalMillis": "1000", "idleTimeBetweenReadsInMillis": "1000"}, 1.5, 3.1),
        (
            {
                "checkpointIntervalMillis": "1000",
                "idleTimeBetweenReadsInMillis": "1000",
                "idleTimeBetweenReadsMaxMillis": "5000",
                "failoverTimeMillis": "20000",
            },
            0.4,
            2.4,
        ),
    ],
)
def test_it_is_the_bill_of_the_docs(given: dict[str, str], idle: float, busy: float) -> None:
    """The first rows of docs/tuning.md's bill, but for the scans of the lease table."""
    made = _of(dontPublishCloudwatch="true", **given)
    assert (round(made.idle, 1), round(made.busy, 1)) == (pytest.approx(idle, abs=0.15), pytest.approx(busy, abs=0.5))
    many = _of(shards=500, dontPublishCloudwatch="true", **given)
    assert many.idle == pytest.approx(500 * made.idle)


def test_cloudwatch_is_a_part_that_can_be_left_out() -> None:
    """One daemon's metrics and those of each shard, at AWS's price; none where none are published."""
    assert _of(shards=4).cloudwatch == pytest.approx((26 + 64 + 21) * 0.30 + 1.5, abs=0.1)
    assert _of(shards=4, metricsLevel="SUMMARY").cloudwatch < _of(shards=4).cloudwatch
    assert _of(metricsLevel="NONE").cloudwatch == 0
    assert "CloudWatch" in _of().shown
    assert "CloudWatch" not in _of(dontPublishCloudwatch="true").shown


def test_a_stream_that_is_off_will_have_a_shard_for_each_partition() -> None:
    """As far as the table's size and capacity say."""
    assert _of(shards=None).shards == 1
    large = SOURCE | {"TableSizeBytes": 95 * 1024**3}
    assert _of(shards=None, source=large).shards == 10
    fast = SOURCE | {"ProvisionedThroughput": {"ReadCapacityUnits": 6000, "WriteCapacityUnits": 2500}}
    assert _of(shards=None, source=fast).shards == 5
    assert _of(shards=7, source=large).shards == 7


def test_what_is_not_at_aws_has_no_price() -> None:
    """Nor has what can't be seen."""
    local = task(sourceEndpoint="http://127.0.0.1:8000")
    assert cost.estimate(local, Facts(source=SOURCE)) is None
    assert cost.estimate(task(), Facts()) is None
