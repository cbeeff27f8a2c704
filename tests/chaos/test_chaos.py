"""A short episode of chaos on the real daemons, and bugs that such an episode must notice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.chaos import plan, report
from tests.chaos.bugs import BUGS
from tests.chaos.episode import Episode
from tests.fakes.machine.planted import planted_checkout

# Restarts and kills, freezes, throttling, cut-offs, lost answers, duplicates, splits and a roll-over.
SEED = 1
SECONDS = 35


def test_a_short_episode(dynamodb: DynamoDBLocal, tmp_path: Path) -> None:
    """Whatever is killed, cut off, throttled or split: the tables end equal, and no rule was broken on the way.

    Checkpoints are put off for a second, so that there is something to replay.
    """
    made = plan.make(SEED, seconds=SECONDS, modes=["batch", "item"])
    made = replace(made, tasks=(replace(made.tasks[0], checkpoint_interval_ms=1_000),))
    result = Episode(made, endpoint=dynamodb.endpoint, folder=tmp_path).run()
    assert result.violations == [], report.failure(result)
    assert result.tasks[0].verdict.checkpoints > 0
    assert result.tasks[0].verdict.takeovers > 0


@pytest.mark.parametrize("name", sorted(BUGS))
def test_a_planted_bug_is_noticed(dynamodb: DynamoDBLocal, tmp_path: Path, name: str) -> None:
    """Each bug breaks the rule that it should."""
    bug = BUGS[name]
    root = planted_checkout(tmp_path / "planted", bug.edits)
    result = Episode(bug.plan, endpoint=dynamodb.endpoint, folder=tmp_path, root=root, symptom=bug.symptom).run()
    assert any(bug.symptom in violation for violation in result.violations), report.failure(result)
