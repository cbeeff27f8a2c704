"""One episode: applications on both sides, faults, rest; then both histories are held against what was written."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from processor.startup import java
from tests.chaos import schedule
from tests.chaos.fleet import Machine, fleet
from tests.chaos.journal import Checkpointed, Journal, Journals
from tests.chaos.proxies import CheckpointProxy
from tests.chaos.two_way import disasters
from tests.chaos.two_way.application import Application
from tests.chaos.two_way.checker import Book, Checker, Entry, Verdict, entry
from tests.chaos.two_way.disasters import Ways
from tests.chaos.two_way.plan import Plan
from tests.chaos.two_way.sides import Side
from tests.chaos.writer import writing
from tests.fakes.daemon.direction_probe import PREFIX, DirectionProbe
from tests.fakes.patience import PATIENCE_SECONDS

REST_SECONDS = PATIENCE_SECONDS
# Nothing may come any more for so long, once all is applied.
_QUIET_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an episode did. ``unwell`` is what is wrong besides the checker's verdict."""

    plan: Plan
    journal: Journal
    verdict: Verdict
    books: dict[str, Book]
    entries: Sequence[Entry]
    unwell: Sequence[str] = field(default=())
    wall_seconds: float

    @property
    def violations(self) -> list[str]:
        """All that was found."""
        return [*self.unwell, *self.verdict.violations]


class Episode:
    """Runs a plan once.

    :param endpoint: a DynamoDB Local, for both tables and the checkpoints
    :param folder: for logs and conflicts
    :param root: the checkout whose run.sh is run
    :param rest_seconds: how long after the last fault something may still have to be applied
    """

    def __init__(
        self, plan: Plan, *, endpoint: str, folder: Path, root: Path = java.ROOT, rest_seconds: float = REST_SECONDS
    ) -> None:
        self._plan = plan
        self._endpoint = endpoint
        self._folder = folder
        self._root = root
        self._rest_seconds = rest_seconds
        self._name = f"chaos-{uuid.uuid4().hex[:8]}"
        self._conflicts = folder / "conflicts.jsonl"
        self._hub, self._spoke = (
            Side("hub", endpoint, f"{self._name}-hub"),
            Side("spoke", endpoint, f"{self._name}-spoke"),
        )
        self._mirror, self._uplink, self._daemons = Journal(), Journal(), Journal()

    def run(self) -> Result:
        """Run it, which takes the plan's seconds and about half a minute more."""
        began = time.monotonic()
        self._hub.create()
        self._spoke.create()
        applications = [
            Application(side, seed=self._plan.seed, pause_seconds=self._plan.pause_seconds)
            for side in (self._hub, self._spoke)
        ]
        with self._ways() as ways:
            machines = ways.machines

            probe = DirectionProbe(*((side.client, side.table) for side in (self._hub, self._spoke)))
            assert schedule.wait(machines, probe, PATIENCE_SECONDS), "the directions have not begun"
            with writing(applications):
                schedule.happen(
                    self._plan.steps,
                    seconds=self._plan.seconds,
                    do=lambda step: disasters.do(ways, step),
                    machines=machines,
                    journal=Journals([self._daemons]),
                )
            is_quiet = schedule.wait(machines, _Lasting(self._is_at_rest, _QUIET_SECONDS), self._rest_seconds)
            unwell = (
                []
                if is_quiet
                else [f"end: not at rest {self._rest_seconds:.0f} s after the last fault: {self._stand()}"]
            )
            unwell += [found for machine in machines for found in schedule.ended(machine)]
        return self._result(applications, unwell, began)

    @contextlib.contextmanager
    def _ways(self) -> Iterator[Ways]:
        table = f"DynamoDBCrossRegionReplication{self._name}"
        journals = {table: self._mirror, f"{table}-Uplink": self._uplink}
        with contextlib.ExitStack() as stack:
            checkpoints = stack.enter_context(CheckpointProxy(self._endpoint, journals))
            sides = {side.name: stack.enter_context(side.proxy) for side in (self._hub, self._spoke)}
            settings = {
                "sourceRegion": self._hub.region,
                "sourceTable": self._hub.table,
                "sourceEndpoint": sides["hub"].endpoint,
                "destinationRegion": self._spoke.region,
                "destinationTable": self._spoke.table,
                "destinationEndpoint": sides["spoke"].endpoint,
                "kclEndpoint": checkpoints.endpoint,
                "taskName": self._name,
                "twoWay": "true",
                "conflicts": self._plan.policy,
                "conflictUri": f"file://{self._conflicts}",
                "checkpointIntervalMillis": str(self._plan.checkpoint_interval_ms),
            }
            daemons = Journals([self._daemons, self._mirror, self._uplink])
            machines: Sequence[Machine] = stack.enter_context(
                fleet(self._plan.machines, self._folder, [settings], daemons, root=self._root)
            )
            yield Ways(machines=machines, sides=sides, checkpoints=checkpoints)

    # --- Rest --------------------------------------------------------------------------------------------------------

    def _is_at_rest(self) -> tuple[int, int] | None:
        """The last records' numbers, if each direction has passed its own."""
        last = self._hub.read(), self._spoke.read()
        return None if last[0] > _passed(self._mirror) or last[1] > _passed(self._uplink) else last

    def _stand(self) -> str:
        last = self._hub.read(), self._spoke.read()
        return f"mirror at {_passed(self._mirror)} of {last[0]}, uplink at {_passed(self._uplink)} of {last[1]}"

    def _result(self, applications: Sequence[Application], unwell: list[str], began: float) -> Result:
        books = {}
        for side, application in zip((self._hub, self._spoke), applications, strict=True):
            side.read()
            books[side.name] = Book(
                items=side.items(),
                records=side.records(),
                wrote=application.wrote,
                replicated=side.proxy.replicated,
            )
        entries = self._entries()
        verdict = Checker(books["hub"], books["spoke"], entries, policy=self._plan.policy).run()
        return Result(
            plan=self._plan,
            journal=self._daemons,
            verdict=verdict,
            books=books,
            entries=entries,
            unwell=unwell,
            wall_seconds=time.monotonic() - began,
        )

    def _entries(self) -> list[Entry]:
        found = []
        for line in self._conflicts.read_text().splitlines() if self._conflicts.exists() else ():
            with contextlib.suppress(ValueError):  # a line that a crash cut short; the record comes again
                found.append(entry(json.loads(line)))
        return [each for each in found if not each.key.startswith(PREFIX)]


class _Lasting:
    """Whether something gives the same, and not None, for so many seconds."""

    def __init__(self, look: Callable[[], object], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._found: object = None
        self._since = 0.0

    def __call__(self) -> bool:
        found = self._look()
        if found is None or found != self._found:
            self._found, self._since = found, time.monotonic()
        return found is not None and time.monotonic() - self._since >= self._seconds


def _passed(journal: Journal) -> int:
    """The last checkpoint that was stored."""
    checkpoints = (each.checkpoint for each in reversed(journal.entries) if isinstance(each, Checkpointed))
    return next((int(each) for each in checkpoints if each.isdigit()), 0)
