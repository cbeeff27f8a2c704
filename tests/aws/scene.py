"""One run's tables, tasks and daemons, and what its steps do with them."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from processor.commands.demo.workload import scan
from processor.startup import java
from tests.aws import leftovers, names
from tests.aws.servers import Place, Side
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.command import command, end_of
from tests.fakes.patience import PATIENCE_SECONDS, until

_AWS_SECONDS = 1200.0  # an index that is removed, a backlog at two write units a second
_THROTTLED = {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}
_SETS = {"SS", "NS", "BS"}


class Task:
    """A replication between two tables of this run.

    :param name: what is between the run and the rest in the names of all that belongs to it
    """

    def __init__(self, scene: Scene, name: str, source: Side, destination: Side, **settings: str) -> None:
        self._scene = scene
        self.name = names.named(scene.run, name)
        self.source, self.destination = source, destination
        self.source_table, self.destination_table = f"{self.name}-source", f"{self.name}-copy"
        self.from_, self.to = source.client(), destination.client()
        self.settings = {
            "sourceRegion": source.region,
            "sourceTable": self.source_table,
            "destinationRegion": destination.region,
            "destinationTable": self.destination_table,
            "taskName": self.name,
            **settings,
        }
        for side, at in (("source", source), ("destination", destination)):
            if at.endpoint is not None:
                self.settings[f"{side}Endpoint"] = at.endpoint
        self.daemon: Replicator | None = None

    def start(self) -> Replicator:
        """Start a daemon, or the same one again; returns at once."""
        if self.daemon is None:
            # A daemon whose proof is killed must not go on by itself.
            setpriv = shutil.which("setpriv")
            bound = [setpriv, "--pdeathsig", "TERM", str(java.ROOT / "run.sh")] if setpriv else []
            self.daemon = Replicator(self._scene.folder / self.name, self.settings, program=bound)
        return self.daemon.start()

    def command(self, name: str, *options: str, expected: Iterable[int] = (0,)) -> dict[str, Any]:
        """``./run.sh NAME --json`` to its end.

        :returns: what it printed; empty if that is no JSON
        """
        status, output, errors = self._end_of(name, *options)
        assert status in set(expected), f"{name} {' '.join(options)} ended with {status}: {(errors or output)[-1500:]}"
        try:
            found: dict[str, Any] = json.loads(output)
        except ValueError:
            return {}
        return found

    def is_healthy(self) -> bool:
        """By ``./run.sh status``."""
        return self._end_of("status", "--json")[0] == 0

    def is_allowed(self) -> bool:
        """Whether ``./run.sh check`` is denied nothing, whatever else isn't ready yet."""
        _, output, errors = self._end_of("check", "--json")
        return "not authorized" not in output + errors

    def _end_of(self, name: str, *options: str) -> tuple[int, str, str]:
        return end_of(command(name, self.settings | {"dontPublishCloudwatch": "true"}, *options))

    def put(self, key: str, **attributes: Any) -> None:
        """Write an item to the source."""
        self.from_.put_item(TableName=self.source_table, Item={"id": {"S": key}, **attributes})

    def delete(self, key: str) -> None:
        """Delete an item from the source."""
        self.from_.delete_item(TableName=self.source_table, Key={"id": {"S": key}})

    def write(self, items: Sequence[dict[str, Any]]) -> None:
        """Write many, again what is left over, until the source has taken all."""
        for first in range(0, len(items), 25):
            left: Any = {self.source_table: [{"PutRequest": {"Item": item}} for item in items[first : first + 25]]}

            def taken() -> bool:
                nonlocal left
                left = self.from_.batch_write_item(RequestItems=left).get("UnprocessedItems", {})
                return not left

            self._scene.until(taken, "the source takes all writes")

    def wait_equal(self) -> int:
        """Until both tables hold the same; returns how many items."""
        found: dict[str, Any] = {}

        def equal() -> bool:
            nonlocal found
            found = items(self.from_, self.source_table)
            return found == items(self.to, self.destination_table)

        try:
            self._scene.until(equal, f"source = destination of {self.name}")
        except AssertionError as exc:
            raise AssertionError(f"{exc}; {self.complaints()}") from exc
        return len(found)

    def complaints(self) -> str:
        """What its daemon said last, for a message."""
        lines = (self.daemon.console if self.daemon else "").splitlines()
        return " / ".join(lines[-5:])[-800:]

    def end(self) -> None:
        """Kill what still runs."""
        if self.daemon is not None:
            self.daemon.__exit__()


class Scene:
    """All of a run. Leaving its context ends its daemons, and nothing else."""

    def __init__(self, place: Place, run: str, folder: Path) -> None:
        self.place, self.run, self.folder = place, run, folder
        self.patience_seconds = _AWS_SECONDS if place.is_aws else PATIENCE_SECONDS
        self.identity: dict[str, str] = {}
        self.seen: dict[str, str] = {}  # what only AWS does, and how it was seen
        self.roles: dict[str, str] = {}
        source, destination = place.source, place.destination
        self.on_demand = Task(self, "on-demand", source, destination, createDestination="true", enableStream="true")
        self.letters = folder / "dead-letters.jsonl"
        more = {"onError": "deadLetter", "deadLetterUri": self.letters.as_uri()}
        self.provisioned = Task(self, "provisioned", destination, source, **more)
        self._untagged = {(task.source, name) for task in self.tasks for name in names.task_tables(task.name)}
        self._tagging = threading.Lock()
        self._over = threading.Event()
        self._tagger = threading.Thread(target=self._keep_tagging, name="tagger", daemon=True)

    @property
    def tasks(self) -> list[Task]:
        """Both."""
        return [self.on_demand, self.provisioned]

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait as long as it may take here; AWS is asked less often, and may throttle who asks."""

        def look() -> Any:
            try:
                return condition()
            except ClientError as exc:
                if exc.response["Error"]["Code"] not in _THROTTLED:
                    raise
                return None

        return until(look, what, seconds=self.patience_seconds, pause_seconds=5 if self.place.is_aws else 0.1)

    def tag(self) -> None:
        """Tag the tables that the program has made for its tasks, which have none of their own."""
        with self._tagging:
            for side, name in sorted(self._untagged, key=str):
                if leftovers.tag(side, name, self.run):
                    self._untagged.discard((side, name))

    def __enter__(self) -> Scene:  # noqa: PYI034  # Self came with Python 3.11
        self._tagger.start()
        return self

    def __exit__(self, *_: object) -> None:
        for task in self.tasks:
            task.end()
        self._over.set()
        self._tagger.join()

    def _keep_tagging(self) -> None:
        """As soon as they are there: what has no tag when the run is killed is not removed by --clean."""
        while not self._over.wait(1):
            try:
                self.tag()
            except Exception as exc:  # noqa: BLE001  # it is tried again, and the end of the run says it
                self.seen["tagging"] = str(exc)


def items(client: Any, table: str) -> dict[str, Any]:
    """Every item by its key, the elements of sets in order."""
    return {key: _ordered(item) for key, item in scan(client, table).items()}


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: sorted(each) if name in _SETS and isinstance(each, list) else _ordered(each)
            for name, each in value.items()
        }
    return [_ordered(each) for each in value] if isinstance(value, list) else value
