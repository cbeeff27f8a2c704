"""One episode of chaos: set up, let the plan happen, come to rest, hold what happened against the source."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from processor.commands.demo.workload import scan
from processor.startup import java
from tests.chaos import disasters, sources, view
from tests.chaos.checker import Checker, Letter, Verdict
from tests.chaos.disasters import NobodyError, Stage
from tests.chaos.fleet import Machine, fleet
from tests.chaos.journal import Change, Journal, Struck, digest
from tests.chaos.plan import Plan
from tests.chaos.proxies import CheckpointProxy, DestinationProxy
from tests.chaos.sources import See, Source
from tests.chaos.workload import INDEXED, Workload
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DESTINATION_REGION = "eu-west-1"
_LOOK_SECONDS = 0.05
# Longer than any pause between two tries, with a restart and a take-over on top.
REST_SECONDS = PATIENCE_SECONDS
# What the README promises, a kill of ours, and a SIGTERM that came before our code was there to handle it: during
# ``exec``, or by the JVM's own handler.
_STATUSES = {0, 5, 22, -9, -15, 143}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an episode did, and what the checker found."""

    plan: Plan
    journal: Journal
    verdict: Verdict
    history: list[Change]
    letters: int
    wall_seconds: float


class Episode:
    """Runs a plan once.

    :param endpoint: a DynamoDB Local, for the destination and the checkpoints, and for a source that is not simulated
    :param folder: for logs
    :param root: the checkout whose run.sh is run
    :param rest_seconds: how long after the last fault the tables may differ
    """

    def __init__(
        self, plan: Plan, *, endpoint: str, folder: Path, root: Path = java.ROOT, rest_seconds: float = REST_SECONDS
    ) -> None:
        self._plan = plan
        self._rest_seconds = rest_seconds
        self._endpoint = endpoint
        self._folder = folder
        self._root = root
        suffix = uuid.uuid4().hex[:8]
        self._source_table, self._table, self._task = f"source-{suffix}", f"destination-{suffix}", f"chaos-{suffix}"
        self._dead_letters = folder / "dead-letters.jsonl"
        self._destination: DynamoDBClient = boto3.client(
            "dynamodb", region_name=_DESTINATION_REGION, endpoint_url=endpoint
        )
        self._journal = Journal()
        self._see: See = view.seen if plan.view else lambda item: item

    def run(self) -> Result:
        """Run it, which takes the plan's seconds and about half a minute more."""
        began = time.monotonic()
        self._create_destination()
        with self._stage() as stage:
            workload = Workload(
                stage.source,
                seed=self._plan.seed,
                pause_seconds=self._plan.pause_seconds,
                refusals=self._plan.refusals,
                see=self._see,
            )
            workload.start()
            try:
                self._wait(stage, lambda: bool(self._items()), PATIENCE_SECONDS)
                self._happen(stage)
            finally:
                workload.stop()
            is_at_rest = self._wait(stage, lambda: self._is_equal(stage.source, workload), self._rest_seconds)
            unwell = [found for machine in stage.machines for found in _stop(machine)]
            history = stage.source.history(workload.made)
            letters = self._letters()
            checker = Checker(history, letters, coalesce=self._plan.coalesce)
            verdict = checker.run(self._journal.entries)
            checker.check_end(stage.source.items(self._see), self._items())
            checker.check_letters()
        if not is_at_rest:
            verdict.violations.append(
                f"end: the tables were not equal within {self._rest_seconds:.0f} s of the last fault"
            )
        verdict.violations += unwell
        return Result(
            plan=self._plan,
            journal=self._journal,
            verdict=verdict,
            history=history,
            letters=len(letters),
            wall_seconds=time.monotonic() - began,
        )

    # --- Set-up ------------------------------------------------------------------------------------------------------

    def _create_destination(self) -> None:
        self._destination.create_table(
            TableName=self._table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", INDEXED)],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "refuses-numbers",
                    "KeySchema": [{"AttributeName": INDEXED, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    @contextlib.contextmanager
    def _stage(self) -> Iterator[Stage]:
        plan = self._plan
        make = (
            sources.simulated(shards=plan.shards, seed=plan.seed, table=self._source_table)
            if plan.simulated
            else sources.local(self._endpoint, self._source_table)
        )
        checkpoint_table = f"DynamoDBCrossRegionReplication{self._task}"
        with (
            make as source,
            DestinationProxy(self._endpoint, self._table, self._journal) as destination,
            CheckpointProxy(self._endpoint, checkpoint_table, self._journal) as checkpoints,
            FaultProxy(source.endpoint) as stream,
        ):
            settings = {
                "sourceRegion": sources.REGION,
                "sourceTable": self._source_table,
                "sourceEndpoint": source.endpoint,
                "sourceStreamsEndpoint": stream.endpoint,
                "destinationRegion": _DESTINATION_REGION,
                "destinationTable": self._table,
                "destinationEndpoint": destination.endpoint,
                "kclEndpoint": checkpoints.endpoint,
                "taskName": self._task,
                "writeMode": plan.write_mode,
                "coalesce": str(plan.coalesce).lower(),
                "checkpointIntervalMillis": str(plan.checkpoint_interval_ms),
                "onError": "deadLetter",
                "deadLetterUri": f"file://{self._dead_letters}",
                **(view.settings(self._folder) if plan.view else {}),
            }
            with fleet(plan.machines, self._folder, settings, self._journal, root=self._root) as machines:
                yield Stage(
                    machines=machines, source=source, destination=destination, checkpoints=checkpoints, stream=stream
                )

    # --- What happens ------------------------------------------------------------------------------------------------

    def _happen(self, stage: Stage) -> None:
        """Do the plan's steps, each undone when its time is over; all of them are undone at the end."""
        began = time.monotonic()
        order = itertools.count()  # two at the same time are not compared any further
        due = [(step.at, next(order), step) for step in self._plan.steps]
        undo: list[tuple[float, int, Callable[[], None]]] = []
        heapq.heapify(due)
        while due or undo or time.monotonic() - began < self._plan.seconds:
            now = time.monotonic() - began
            while undo and undo[0][0] <= now:
                heapq.heappop(undo)[2]()
            while due and due[0][0] <= now:
                step = heapq.heappop(due)[2]
                try:
                    done = disasters.do(stage, step)
                except NobodyError:
                    self._journal.add(Struck, name=step.name, detail="", outcome="nobody to do it to")
                    continue
                lasting = f" for {step.seconds:.1f} s" if step.seconds else ""
                self._journal.add(Struck, name=step.name, detail=f"{done.detail}{lasting}", outcome="done")
                if done.undo is not None:
                    heapq.heappush(undo, (now + step.seconds, next(order), done.undo))
            self._look_after(stage.machines)
            time.sleep(_LOOK_SECONDS)

    def _wait(self, stage: Stage, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._look_after(stage.machines)
            if condition():
                return True
            time.sleep(_LOOK_SECONDS)
        return False

    def _look_after(self, machines: list[Machine]) -> None:
        for machine in machines:
            machine.look()

    # --- What there is -----------------------------------------------------------------------------------------------

    def _items(self) -> dict[str, str]:
        return {key: digest(item) for key, item in scan(self._destination, self._table).items()}

    def _is_equal(self, source: Source, workload: Workload) -> bool:
        """Whether nothing more is to come: a key whose last change is refused may hold anything that it held before."""
        last = {made.key: made for made in workload.made}
        lettered = {letter.digest for letter in self._letters()}
        refused = {made.key for made in last.values() if made.refused}
        if any(last[key].digest not in lettered for key in refused):
            return False
        wanted, found = source.items(self._see), self._items()
        return all(wanted.get(key) == found.get(key) for key in (wanted.keys() | found.keys()) - refused)

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


def _stop(machine: Machine) -> Iterator[str]:
    """Stop it, where nothing goes wrong any more; yields what is wrong with that, or was with any end before."""
    try:
        status = machine.stop()
    except AssertionError as exc:
        yield f"end: {machine.name} does not stop: {exc}"
    else:
        if status not in (0, None):
            yield f"end: {machine.name} ended with {status} where nothing went wrong any more"
    for other in set(machine.statuses) - _STATUSES:
        yield f"end: {machine.name} ended with {other}, which is no status of its"
    yield from {f"log of {machine.name}: {line}" for line in machine.replicator.console.splitlines() if "BUG:" in line}
