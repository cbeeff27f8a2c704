"""One task of an episode: its destination, what it is told, and what is known of it."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import boto3

from processor.commands.demo.workload import scan
from processor.state import care_row, copy_rows
from tests.chaos import sources, view
from tests.chaos.checker import Checker, Letter, Verdict
from tests.chaos.journal import Change, Journal, digest
from tests.chaos.plan import TaskPlan
from tests.chaos.proxies import DestinationProxy
from tests.chaos.sources import Source
from tests.chaos.workload import Workload
from tests.fakes.dynamodb import refusing_table

DESTINATION_REGION = "eu-west-1"
_DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """What became of a task, and what the checker found. ``number`` is its own; ``changes``: how many there were."""

    number: int
    plan: TaskPlan
    journal: Journal
    verdict: Verdict
    history: list[Change]
    changes: int
    letters: int


class Task:
    """One task, on all machines.

    :param name: unlike those of all others
    :param endpoint: a DynamoDB Local, for the destination
    :param folder: for its dead letters, and the key of its mask
    """

    def __init__(self, number: int, plan: TaskPlan, *, name: str, endpoint: str, folder: Path) -> None:
        self.number = number
        self.plan = plan
        self.journal = Journal()
        self.see = view.see(with_view=plan.view)
        self.checkpoint_table = f"DynamoDBCrossRegionReplication{name}"
        self.destination = DestinationProxy(endpoint, name, self.journal)
        self._name = name
        self._folder = folder
        self._dead_letters = folder / "dead-letters.jsonl"
        self._client = boto3.client("dynamodb", region_name=DESTINATION_REGION, endpoint_url=endpoint)
        self._checkpoints = boto3.client("dynamodb", region_name=sources.REGION, endpoint_url=endpoint)
        self._is_equal = False
        self._history: list[Change] | None = None

    def create(self) -> None:
        """Make its destination, unless it is to do so by itself."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self.plan.by_itself:
            return
        refusing_table.create(self._client, self._name)

    def settings(self) -> dict[str, str]:
        """What it is told of all but its source."""
        return {
            "destinationRegion": DESTINATION_REGION,
            "destinationTable": self._name,
            "destinationEndpoint": self.destination.endpoint,
            "taskName": self._name,
            "writeMode": self.plan.write_mode,
            "coalesce": str(self.plan.coalesce).lower(),
            "checkpointIntervalMillis": str(self.plan.checkpoint_interval_ms),
            "onError": "deadLetter",
            "deadLetterUri": f"file://{self._dead_letters}",
            **(view.settings(self._folder) if self.plan.view else {}),
            **({"bootstrap": "true", "afterLoss": "copy"} if self.plan.by_itself else {}),
        }

    def items(self) -> dict[str, str]:
        """The digests of the destination's items, by key; none while it is not made."""
        try:
            return {key: digest(item) for key, item in scan(self._client, self._name).items()}
        except self._client.exceptions.ResourceNotFoundException:
            if not self.plan.by_itself:
                raise
            return {}

    def is_in_sync(self) -> bool:
        """Whether its caretakers have said so."""
        found = care_row.read(self._checkpoints, f"{self.checkpoint_table}-Task")
        return found is not None and found.phase == "in sync"

    def age_copy(self) -> None:
        """Have its last copy be made a day earlier: what is lost is as old, and a newer copy would have it."""
        self._checkpoints.update_item(
            TableName=f"{self.checkpoint_table}-Task",
            Key=copy_rows.ROWS.key,
            UpdateExpression="ADD startedMs :earlier",
            ExpressionAttributeValues={":earlier": {"N": str(-_DAY_MS)}},
        )

    def is_equal(self, source: Source, workload: Workload) -> bool:
        """Whether nothing more is to come, now that nobody writes any more.

        A key whose last change is refused may hold anything that it held before.
        """
        self._is_equal = self._is_equal or self._looks_equal(source, workload)
        return self._is_equal and (not self.plan.by_itself or self.is_in_sync())

    def _looks_equal(self, source: Source, workload: Workload) -> bool:
        last = {made.key: made for made in workload.made(self.see)}
        lettered = {letter.digest for letter in self._letters()}
        refused = {made.key for made in last.values() if made.refused}
        if any(last[key].digest not in lettered for key in refused):
            return False
        wanted, found = source.items(self.see), self.items()
        return all(wanted.get(key) == found.get(key) for key in (wanted.keys() | found.keys()) - refused)

    def broken(self, source: Source, workload: Workload) -> list[str]:
        """What its journal breaks of the rules so far, now that nobody writes any more; the end is not looked at."""
        return self._checked(source, workload).verdict.violations

    def result(self, source: Source, workload: Workload) -> TaskResult:
        """All of its journal, held against its source."""
        checker = self._checked(source, workload)
        checker.check_end(source.items(self.see), self.items())
        checker.check_letters()
        return TaskResult(
            number=self.number,
            plan=self.plan,
            journal=self.journal,
            verdict=checker.verdict,
            history=self._changes(source, workload),
            changes=len(workload.made(self.see)),
            letters=len(self._letters()),
        )

    def _checked(self, source: Source, workload: Workload) -> Checker:
        checker = Checker(self._changes(source, workload), self._letters(), coalesce=self.plan.coalesce)
        checker.run(list(self.journal.entries))
        if self.plan.by_itself:  # a copy and a repair write beside the children, and what is older only for a moment
            checker.verdict.violations.clear()
        return checker

    def _changes(self, source: Source, workload: Workload) -> list[Change]:
        if self._history is None:
            # Where the stream loses changes, no history can be read from it; the end tells whether they were made good.
            self._history = [] if self.plan.by_itself else source.history(workload.made(self.see))
        return self._history

    def _letters(self) -> list[Letter]:
        if not self._dead_letters.exists():
            return []
        ahead = time.time() - time.monotonic()
        letters = []
        for line in self._dead_letters.read_text().splitlines():
            with contextlib.suppress(ValueError):  # a line that a crash cut short; the change comes again
                letter = json.loads(line)
                letters.append(
                    Letter(
                        sequence=int(letter["sequenceNumber"]),
                        key=letter["key"]["id"]["S"],
                        digest=digest(letter["newImage"]) if letter["newImage"] else None,
                        at=datetime.fromisoformat(letter["time"]).timestamp() - ahead,
                    )
                )
        return letters
