"""Bugs that a chaos run must notice, each planted in a copy of the checkout."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.chaos.plan import Plan, make, steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """``edits`` as ``planted_checkout`` takes them; ``symptom`` stands in a violation that it causes."""

    edits: dict[str, tuple[str, str]]
    plan: Plan
    symptom: str


def _plan(*faults: tuple[float, str, float], **changed: object) -> Plan:
    made = make(1, seconds=3, modes=["batch"])
    quiet = replace(made, machines=1, simulated=False, shards=1, coalesce=True, refusals=False, steps=steps(*faults))
    quiet = replace(quiet, checkpoint_interval_ms=0)
    return replace(quiet, **changed)


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
        plan=_plan((0, "slow-writes", 2), write_mode="item", coalesce=False),
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
        plan=_plan(view=True),
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
            seconds=32,
            machines=2,
            simulated=True,
            shards=4,
            write_mode="item",
            coalesce=False,
        ),
        symptom="was written over a newer change",
    ),
}
