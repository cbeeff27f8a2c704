"""Bugs that a chaos run must notice, each planted in a copy of the checkout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.chaos.plan import Plan, TaskPlan, make, steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """``edits`` as ``planted_checkout`` takes them; ``symptom`` stands in a violation that it causes."""

    edits: dict[str, tuple[str, str]]
    plan: Plan
    symptom: str


_TASK = TaskPlan(write_mode="batch", coalesce=True, checkpoint_interval_ms=0)
_EACH = TaskPlan(write_mode="item", coalesce=False, checkpoint_interval_ms=0)


def _plan(*faults: tuple[float, str, float], tasks: Sequence[TaskPlan] = (_TASK,), **changed: object) -> Plan:
    made = make(1, seconds=3, modes=["batch"])
    quiet = replace(made, tasks=tuple(tasks), machines=1, simulated=False, shards=1, refusals=False)
    return replace(quiet, steps=steps(*faults), **changed)


_LOSS = _plan(
    (0, "loss", 7),
    tasks=[replace(_TASK, by_itself=True)],
    seconds=10,
    simulated=True,
    shards=2,
    once_in_sync=True,
)
# The first is seen once a recovery has had its time, the second when all time is over; so they are planted by hand
# only, with ``--plant``.
SELF_BUGS = {
    "extras-stay": Bug(
        edits={"processor/caretaker/steps.py": ('("--repair", "--deleteExtra")', '("--repair",)')},
        plan=_LOSS,
        symptom="at the source absent",
    ),
    "copy-not-begun-anew": Bug(
        edits={"processor/caretaker/steps.py": ('("--concurrent", "--restart")', '("--concurrent",)')},
        plan=_LOSS,
        symptom="the tables were not equal",
    ),
}

BUGS = {
    "checkpoint-first": Bug(
        edits={
            "processor/replication/record_processor.py": (
                "changes, outcome = self._apply(records)",
                (
                    "self._checkpoint.applied(records[-1].sequence_number); self._store(self._checkpoint.store); "
                    "changes, outcome = self._apply(records)"
                ),
            )
        },
        plan=_plan(),
        symptom="was not applied",
    ),
    "two-calls-of-a-key": Bug(
        edits={
            "processor/replication/plan.py": ("        turn = seen.get(change.identity, 0)\n", "        turn = 0\n")
        },
        plan=_plan((0, "slow-writes", 2), tasks=[_EACH]),
        symptom="went back outside of any replay",
    ),
    "swallowed-exception": Bug(
        edits={
            "processor/replication/apply.py": (
                "                self._pause(error, backoff, cut_short)\n                continue\n",
                "                return []\n",
            )
        },
        plan=_plan((0, "throttle", 2)),
        symptom="was not applied",
    ),
    "leaving-item-stays": Bug(
        edits={
            "processor/replication/stream_record.py": (
                "elif _was_not_seen(old_image, view):",
                'elif change.event_name == "MODIFY" or _was_not_seen(old_image, view):',
            )
        },
        plan=_plan(tasks=[replace(_TASK, view=True)]),
        symptom="was not applied",
    ),
    "empty-answer-believed": Bug(
        edits={
            "processor/replication/write_responses.py": (
                "    unprocessed_items: dict[str, list[Undone]]\n",
                "    unprocessed_items: dict[str, list[Undone]] = msgspec.field(default_factory=dict)\n",
            )
        },
        plan=_plan((0, "empty-answer-once", 2)),
        symptom="was not applied",
    ),
    "frozen-daemon-writes-on": Bug(
        edits={"processor/replication/writer.py": (", before_send=self._may_write)", ")")},
        plan=_plan(
            (0, "slow-writes", 3),  # so that a batch is in hand
            (2, "freeze-busiest", 30),
            tasks=[_EACH],
            seconds=32,
            machines=2,
            simulated=True,
            shards=4,
        ),
        symptom="was written over a newer change",
    ),
    "shared-page-lacks-a-record": Bug(
        edits={
            "daemon/src/main/java/replicator/page/SharedPage.java": (
                "page.handedOn(0, nowNanos - readNanos)",
                "page.handedOn(page.records().size() > 1 ? 1 : 0, nowNanos - readNanos)",
            )
        },
        plan=_plan(tasks=[_TASK, _EACH, _TASK], seconds=10),
        symptom="was not applied",
    ),
}
