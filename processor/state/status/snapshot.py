"""Reads everything that a status needs, in parallel, and changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from processor.aws.clients import Clients
from processor.dynamodb.describe import described_if_there
from processor.errors import DeadLetterError, RefusedError, UnavailableError
from processor.settings.settings import Settings
from processor.state import care_row, checkpoint_outage, holds, leases, liveness, task_row
from processor.state.care_row import CareRow
from processor.state.checkpoint_outage import CheckpointOutage
from processor.state.holds import Hold
from processor.state.leases import Lease
from processor.state.liveness import Daemon
from processor.state.renewals import Renewals
from processor.state.status import copy_progress, lag, verification
from processor.state.status.copy_progress import CopyProgress
from processor.state.status.lag import Lags
from processor.state.status.letters import CountLetters, LettersFound
from processor.state.status.lineage import Lag, Lineage, ShardState, StreamShard
from processor.state.status.verification import Verification
from processor.state.task_row import Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")
# From a task's first start to its first lease: KCL's tables are made in between. Past that, something keeps it from it.
_FIRST_LEASE_SECONDS = 120


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be read, and why."""

    what: str
    reason: str


class Stream(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The stream that the task reads. ``status`` is DynamoDB's word, or MISSING, or None if it can't be read."""

    arn: str
    view_type: str | None = None
    status: str | None = None

    @property
    def is_on(self) -> bool:
        """Whether it takes records, or is about to."""
        return self.status in ("ENABLED", "ENABLING")


class Seen(msgspec.Struct, kw_only=True):
    """What was read; None if there is nothing, or if it is in ``unread``.

    ``care`` is the caretakers' row, where the task makes its replica by itself; ``looked_ms``: when the look began, in
    milliseconds since the epoch. ``holds`` are those of ``all_holds`` that the checkpoints don't show to be over;
    ``shards`` is what becomes of ``stream_shards``, ``leases`` and ``lags``.
    """

    source: dict[str, Any] | None = None
    destination: dict[str, Any] | None = None
    task: Task | None = None
    leases: list[Lease] | None = None
    daemons: list[Daemon] = []
    stream: Stream | None = None
    shards: list[ShardState] = []
    lag_about: bool = False
    stream_shards: list[StreamShard] | None = None
    lags: dict[str, Lag] = {}
    all_holds: list[Hold] = []
    copy: CopyProgress | None = None
    verification: Verification | None = None
    care: CareRow | None = None
    looked_ms: int = 0
    dead_letters: LettersFound | None = None
    conflicts: LettersFound | None = None
    holds: list[Hold] = []
    checkpoint_outage: CheckpointOutage | None = None
    unread: list[Unread] = []

    def could_read(self, what: str) -> bool:
        """Whether None means "there is none"."""
        return what not in {each.what for each in self.unread}

    @property
    def is_running(self) -> bool:
        """Whether a daemon renews its leases, or says why it can't."""
        return any(daemon.alive for daemon in self.daemons) or self.checkpoint_outage is not None

    @property
    def is_starting(self) -> bool:
        """Whether the task's first start was a moment ago, and no daemon has taken a lease since."""
        if self.is_running or self.task is None or not self.could_read("leases"):
            return False
        since_ms = self.looked_ms - int(self.task.first_start_ms or 0)
        is_taken = any(lease.owner is not None or lease.counter for lease in self.leases or ())
        return since_ms < _FIRST_LEASE_SECONDS * 1000 and not is_taken


def read(
    settings: Settings,
    clients: Clients,
    letters: CountLetters,
    *,
    renewals: Renewals | None = None,
    most: Callable[[str], int] = lambda _: 1,
    care: CareRow | None = None,
) -> Seen:
    """Look at all of it once.

    :param clients: with ``lag.THREADS`` connections
    :param renewals: for who looks again and again: tells who is alive without waiting, from the second look on
    :param most: how many of a shard's pending records are counted, given its id
    :param care: the caretakers' row, for who holds it, so that it need not be read
    """
    return _Reader(settings, clients, letters, renewals=renewals, most=most, care=care).read()


def with_leases(seen: Seen, found: list[Lease] | None, daemons: list[Daemon]) -> Seen:
    """What was seen, with newer leases: all else is as old as it was, but what follows from them is as they say.

    :param found: None if there is no checkpoint table
    """
    lineage = Lineage(seen.stream_shards, found)
    renewing = {each.owner for each in daemons if each.alive}
    return msgspec.structs.replace(
        seen,
        leases=found,
        daemons=daemons,
        holds=_lasting(seen.all_holds, found or ()),
        shards=lineage.states(renewing=renewing, lags=seen.lags),
    )


def _lasting(rows: Iterable[Hold], found: Iterable[Lease]) -> list[Hold]:
    """The rows that the checkpoints don't show to be over."""
    checkpoints = {lease.shard_id: lease.checkpoint for lease in found}
    return [
        hold
        for hold in rows
        if not hold.is_over(checkpoints.get(hold.shard_id))
        and (hold.shard_id in checkpoints or (hold.kind == "loss" and not hold.sequence_number))
    ]


class _Reader:
    def __init__(
        self,
        settings: Settings,
        clients: Clients,
        letters: CountLetters,
        *,
        renewals: Renewals | None,
        most: Callable[[str], int],
        care: CareRow | None,
    ) -> None:
        self._settings = settings
        self._clients = clients
        self._letters = letters
        self._renewals = renewals
        self._most = most
        self._held = care
        self._seen = Seen(
            daemons=[], shards=[], holds=[], unread=[], lags={}, all_holds=[], looked_ms=int(time.time() * 1000)
        )

    def read(self) -> Seen:
        settings, clients, seen = self._settings, self._clients, self._seen
        with ThreadPoolExecutor(10, thread_name_prefix="status") as pool:

            def begin(what: str, call: Callable[[], T]) -> Future[T | None]:
                return pool.submit(self._attempt, what, call)

            # First, because it takes longest: it waits for a renewal.
            scanned = begin("leases", self._leases)
            source = begin("source", lambda: _describe(clients.source(), settings.source_table))
            row = begin("task", lambda: task_row.read(clients.checkpoints(), settings.task_table))
            destination = begin("destination", lambda: _describe(clients.destination(), settings.destination_table))
            is_uplink = settings.direction == "uplink"
            letters = begin("conflicts" if is_uplink else "dead letters", lambda: self._letters(settings))
            copy = begin("copy", lambda: copy_progress.read(clients.checkpoints(), settings.task_table))
            verified = begin("verification", self._verification)
            care = begin("caretaker", self._care)
            held = begin("holds", lambda: holds.read(clients.checkpoints(), settings.task_table))
            outage = begin(
                "checkpoint outage", lambda: checkpoint_outage.read(clients.checkpoints(), settings.task_table)
            )
            seen.leases = scanned.result()
            looked = begin("leases", self._daemons)
            seen.source, seen.task = source.result(), row.result()
            seen.stream_shards = self._stream()
            seen.lags = self._lags(seen.stream_shards)
            looked.result()
            seen.all_holds = held.result() or []
            seen.holds = _lasting(seen.all_holds, seen.leases or ())
            seen.checkpoint_outage = outage.result()
            seen.destination, seen.copy = destination.result(), copy.result()
            seen.verification, seen.care = verified.result(), care.result()
            if is_uplink:
                seen.conflicts = letters.result()
            else:
                seen.dead_letters = letters.result()
        if seen.could_read("leases"):  # otherwise nothing is known of any shard
            renewing = {each.owner for each in seen.daemons if each.alive}
            seen.shards = self._lineage(seen.stream_shards).states(renewing=renewing, lags=seen.lags)
        return seen

    def _attempt(self, what: str, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except (UnavailableError, RefusedError, DeadLetterError) as exc:
            self._seen.unread.append(Unread(what=what, reason=str(exc)))
            return None

    def _leases(self) -> list[Lease] | None:
        return leases.read(self._clients.checkpoints(), self._settings.checkpoint_table)

    def _verification(self) -> Verification | None:
        """Where the daemons compare by themselves, what they have found."""
        settings = self._settings
        if not settings.verifies:
            return None
        return verification.read(
            self._clients.checkpoints(), settings.task_table, every_seconds=settings.verification_seconds
        )

    def _care(self) -> CareRow | None:
        """Where the daemons make the replica by themselves, how far that is."""
        settings = self._settings
        if self._held is not None or not settings.makes_replica:
            return self._held
        return care_row.read(self._clients.checkpoints(), settings.task_table)

    def _daemons(self) -> None:
        seen, settings = self._seen, self._settings
        if not seen.leases:
            return
        if self._renewals is not None and self._renewals.known:
            seen.daemons = self._renewals.see(seen.leases)
            return
        look = liveness.look(
            self._clients.checkpoints(),
            settings.checkpoint_table,
            seen.leases,
            failover_seconds=settings.failover_seconds,
        )
        seen.daemons = look.daemons
        if look.handed_over:
            seen.leases = self._leases()
        if self._renewals is not None:
            self._renewals.learn(look.daemons, seen.leases or ())

    def _stream(self) -> list[StreamShard] | None:
        """The task's own stream, or before a first start the source's: later that may have a newer one, or be gone."""
        seen, source = self._seen, self._seen.source or {}
        arn = source.get("LatestStreamArn")
        if seen.leases is None and not source.get("StreamSpecification", {}).get("StreamEnabled"):
            arn = None
        elif seen.leases is not None and seen.task is not None:
            arn = seen.task.stream_arn
        if not arn:
            return None
        seen.stream = Stream(arn=arn)
        found = self._attempt("stream", lambda: lag.describe(self._clients.streams(), arn) or ({}, None))
        if found is None:
            return None
        description, shards = found
        seen.stream = Stream(
            arn=arn,
            view_type=description.get("StreamViewType"),
            status=description.get("StreamStatus", "MISSING"),
        )
        return shards

    def _lineage(self, shards: list[StreamShard] | None) -> Lineage:
        return Lineage(shards, self._seen.leases)

    def _lags(self, shards: list[StreamShard] | None) -> dict[str, Lag]:
        seen = self._seen
        if not shards or seen.stream is None or not seen.could_read("leases"):
            return {}
        lags = Lags(self._clients.streams(), seen.stream.arn, most=self._most)
        found = lags.read(shards, self._lineage(shards).unfinished())
        seen.lag_about = lags.times.rounded
        if lags.failures:
            count = f", and {len(lags.failures) - 1} more" if len(lags.failures) > 1 else ""
            seen.unread.append(Unread(what="lag", reason=f"{lags.failures[0]}{count}"))
        return found


def _describe(client: DynamoDBClient, name: str) -> dict[str, Any] | None:
    return described_if_there(client, name, call=f"DescribeTable on table {name}")
