"""A short episode of chaos with applications on both sides, on a real daemon."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.chaos.plan import Step
from tests.chaos.two_way import plan, report
from tests.chaos.two_way.episode import Episode

SECONDS = 4
STEPS = (
    Step(at=0.3, name="hub-answers-lost", seconds=1.0, machine=0),
    Step(at=0.8, name="spoke-away", seconds=0.7, machine=0),
    Step(at=1.8, name="kill-child", seconds=0.0, machine=0),
    Step(at=2.4, name="spoke-answers-lost", seconds=0.7, machine=0),
    Step(at=3.2, name="hub-throttle", seconds=0.7, machine=0),
)


def test_a_short_episode(dynamodb: DynamoDBLocal, tmp_path: Path) -> None:
    """Whatever is cut off, throttled or killed: both tables end equal, and each write is at the hub or a conflict."""
    made = plan.make(1, seconds=SECONDS, policies=["hubWins"])
    made = replace(made, machines=1, steps=STEPS)
    result = Episode(made, endpoint=dynamodb.endpoint, folder=tmp_path).run()
    assert result.violations == [], report.failure(result)
    assert result.verdict.outcomes["hubWins"] > 0
    assert result.verdict.records_per_write > 1
