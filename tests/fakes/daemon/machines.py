"""Machines that run one directory of tasks: a daemon on each, and what a fleet of them makes of the tasks' shards."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import javaproperties

from processor.state import leases
from processor.state.leases import SHARD_END
from tests.fakes.daemon.replicator import Replicator

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self

_PREFIX = "DynamoDBCrossRegionReplication"
_WORKER = "workerId="


class Machine:
    """One machine's directory of tasks, and its daemon.

    :param name: also the access key by which servers know it
    """

    def __init__(self, folder: Path, name: str, common: Mapping[str, str]) -> None:
        self.name = name
        self.conf = folder / name / "conf"
        self.conf.mkdir(parents=True)
        self._logs = folder / name / "logs"
        self.write("common", {**common, "logDirectory": str(self._logs), "shutdownGraceMillis": "120000"})
        self.daemon = Replicator(folder / name, {}, given=[self.conf])

    def write(self, task: str, settings: Mapping[str, str]) -> None:
        """A file of the directory."""
        text = javaproperties.dumps(dict(settings), timestamp=False)
        (self.conf / f"{task}.properties").write_text(text, encoding="latin-1")

    def remove(self, task: str) -> None:
        """It isn't a task of this machine any more."""
        (self.conf / f"{task}.properties").unlink()

    def start(self) -> Machine:
        """Start its daemon, and return at once."""
        self.daemon.start(environment={"AWS_ACCESS_KEY_ID": self.name})
        return self

    @property
    def worker_ids(self) -> set[str]:
        """Those by which its tasks take leases: one, once a task was begun."""
        return {
            line.removeprefix(_WORKER)
            for file in self._logs.glob("*/daemon.properties")
            for line in file.read_text(encoding="latin-1").splitlines()
            if line.startswith(_WORKER)
        }

    def said(self, event: str) -> int:
        """How many lines of its console say this."""
        return len(self.daemon.events(event))


class Machines:
    """A fleet. Leaving its context ends the daemons that still run.

    :param checkpoints: endpoint of the checkpoint tables' server
    :param common: what all tasks have in common, on top of what they need
    """

    def __init__(self, folder: Path, *, checkpoints: str, common: Mapping[str, str]) -> None:
        self.all: list[Machine] = []
        self.tasks: dict[str, dict[str, str]] = {}
        self._folder = folder
        self._common = {"dontPublishCloudwatch": "true", "kclEndpoint": checkpoints, **common}
        self._checkpoints: DynamoDBClient = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=checkpoints)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.all:
            machine.daemon.__exit__()

    def add(self) -> Machine:
        """One machine more, with all tasks there are; its daemon isn't started yet."""
        made = Machine(self._folder, f"machine{len(self.all) + 1}", self._common)
        for name, settings in self.tasks.items():
            made.write(name, settings)
        self.all.append(made)
        return made

    def write(self, task: str, settings: Mapping[str, str]) -> None:
        """A task's file, on every machine."""
        self.tasks[task] = dict(settings)
        for machine in self.all:
            machine.write(task, settings)

    def remove(self, task: str) -> None:
        """A task's file goes, on every machine."""
        del self.tasks[task]
        for machine in self.all:
            machine.remove(task)

    def owners(self) -> dict[tuple[str, str], str | None]:
        """Who has each shard that isn't done, by the task's name and the shard's id."""
        return {
            (task, lease.shard_id): lease.owner
            for task, settings in self.tasks.items()
            for lease in leases.read(self._checkpoints, f"{_PREFIX}{settings['taskName']}") or []
            if lease.checkpoint != SHARD_END
        }

    def loads(self) -> Counter[str | None]:
        """How many leases each daemon has, by its worker id; None for those that nobody has."""
        return Counter(self.owners().values())

    def is_spread(self, machines: int, *, leases_of_all: int, tolerance: float = 0.25) -> bool:
        """Whether so many daemons have all leases, each its share or nearly so, and shards are together."""
        owners = self.owners()
        loads = Counter(owners.values())
        share = leases_of_all / machines
        return (
            None not in loads
            and len(loads) == machines
            and len(owners) == leases_of_all
            and all(share * (1 - tolerance) <= load <= share * (1 + tolerance) for load in loads.values())
            and all(len(found) == 1 for found in self.together(owners).values())
        )

    def together(self, owners: Mapping[tuple[str, str], str | None]) -> dict[tuple[str, str], set[str | None]]:
        """The daemons that have each stream's shard for any task, by the source and the shard's id."""
        found: dict[tuple[str, str], set[str | None]] = defaultdict(set)
        for (task, shard_id), owner in owners.items():
            settings = self.tasks[task]
            found[settings["sourceEndpoint"] + settings["sourceTable"], shard_id].add(owner)
        return found

    @contextlib.contextmanager
    def running(self, machines: int) -> Iterator[list[Machine]]:
        """So many machines, whose daemons are started side by side and ended at the end."""
        with self:
            yield [self.add().start() for _ in range(machines)]
