"""Brings the keys of dead letters up to date from the source table, and removes the letters that are settled by that.

A letter's own image is not written, because its key may have changed since. The source's item is written, by the rule
of ``reconcile.py``, while daemons may be running.

1. A letter is removed only after its key was reconciled. So a crash at any point loses none: the next run finds the key
   up to date, and removes the letter.
2. Only letters that were read before their key was reconciled are removed. One that is added meanwhile stays.
3. So two runs at once do the same work twice, without harm.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

import msgspec

from processor.dynamodb.expiry import NO_EXPIRY, Expiry
from processor.dynamodb.item_view import UNSEEN
from processor.dynamodb.keys import identity_of
from processor.errors import (
    CredentialsError,
    RefusedError,
    ReplicatorError,
    StalledError,
    StoppedError,
    UnavailableError,
    UnsettledError,
)
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.flow.retry_policy import RetryPolicy
from processor.replication.dead_letters.letter import Entry, Heading, LetterStore
from processor.replication.reconcile import SourceReader, is_moot, item_of, reconcile
from processor.replication.writer import Table
from processor.settings.settings import Settings

# Seconds of work that the next run may have to check again after a crash.
REMOVE_SECONDS = 10.0

Became = Literal["applied", "moot", "failing"]


class KeyResult(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """One key and its letters; ``write`` is what was done, or with ``dryRun`` would be: a put or a delete."""

    outcome: Became
    key: msgspec.Raw
    sequence_number: str
    letters: list[str]
    write: Literal["put", "delete"] | None = None
    reason: str | None = None


_ONLY_COPY = (
    "the source has no item of this key any more, and with ttlDeletes=ignore it may be TTL that has deleted it: then "
    "this letter has the only copy of what is to be kept. Put its item to the destination by hand, as the settings "
    "would have it there, or remove the letter"
)


class Unusable(msgspec.Struct, kw_only=True, rename="camel"):
    """Something among the letters that is kept: not a letter, or another replication's."""

    place: str
    reason: str


class RedriveReport(msgspec.Struct, kw_only=True, rename="camel"):
    """What became of the letters that existed at the beginning.

    ``applied`` to ``pending`` count keys; ``pending`` are those that were not reached. With ``dry_run``, ``applied``
    are those that would be written, whether the destination accepts them or not.
    """

    dry_run: bool
    letters: int = 0
    keys: int = 0
    applied: int = 0
    moot: int = 0
    failing: int = 0
    pending: int = 0
    removed_letters: int = 0
    results: list[KeyResult] = msgspec.field(default_factory=list)
    unreadable: list[Unusable] = msgspec.field(default_factory=list)
    foreign: list[Unusable] = msgspec.field(default_factory=list)

    @property
    def still_failing(self) -> bool:
        """Whether something is left that another run would find again unchanged."""
        return bool(self.unreadable) or self.failing > 0

    def add(self, result: KeyResult) -> None:
        """Count one key."""
        self.results.append(result)
        self.pending -= 1
        self.applied += result.outcome == "applied"
        self.moot += result.outcome == "moot"
        self.failing += result.outcome == "failing"


@dataclass(slots=True)
class _Work:
    """A key and its letters."""

    key: msgspec.Raw
    sequence_number: str
    entries: list[Entry] = field(default_factory=list)


class Redrive:
    """One run.

    :param threads: keys processed at once
    :param stop: set to end between two keys
    :param policy: a command's by default
    :param expiry: prevents that a letter's item past its TTL is brought back
    :param progress: called with the progress, each time that some more keys are done
    """

    def __init__(
        self,
        settings: Settings,
        store: LetterStore,
        *,
        source: SourceReader,
        destination: SourceReader,
        table: Table,
        threads: int,
        outage: Outage,
        stop: threading.Event,
        expiry: Expiry = NO_EXPIRY,
        dry_run: bool = False,
        progress: Callable[[str], None] = lambda _: None,
        policy: RetryPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.report = RedriveReport(dry_run=dry_run)
        self._settings = settings
        self._store = store
        self._source = source
        self._destination = destination
        self._table = table
        self._threads = threads
        self._retry = Retry(policy or retry_policy.COMMAND, stop, outage, clock=clock)
        self._stop = stop
        self._expiry = expiry
        self._dry_run = dry_run
        self._progress = progress
        self._clock = clock

    def run(self) -> None:
        """Process every key, or those until ``stop``; ``report`` has the result, whatever is raised.

        :raises StoppedError: ``stop`` was set before it was finished
        :raises ReplicatorError: letters or tables can't be used; letters that were settled are removed all the same
        """
        works = self._read()
        self.report.keys = self.report.pending = len(works)
        settled: list[Entry] = []
        due = self._clock() + REMOVE_SECONDS
        try:
            with ThreadPoolExecutor(self._threads, thread_name_prefix="redrive") as pool:
                for some in _chunks(works, self._threads * 4):
                    self._count(some, list(pool.map(self._settle, some)), settled)
                    self._say()
                    if self._clock() >= due:
                        self._remove(settled)
                        due = self._clock() + REMOVE_SECONDS
        finally:
            self._remove(settled)

    def _read(self) -> list[_Work]:
        works: dict[bytes, _Work] = {}
        for entry in self._store.entries():
            if self._stop.is_set():
                raise StoppedError
            heading = entry.heading
            if heading is None:
                self.report.unreadable.append(Unusable(place=entry.place, reason=entry.problem))
                continue
            self.report.letters += 1
            if not self._is_ours(heading):
                what = f"of task {heading.task_name}, for table {heading.table} in {heading.region}"
                self.report.foreign.append(Unusable(place=entry.place, reason=what))
                continue
            work = works.setdefault(identity_of(heading.key), _Work(heading.key, heading.sequence_number))
            work.sequence_number = max(work.sequence_number, heading.sequence_number, key=int)
            work.entries.append(entry)
            self._progress(f"{self.report.letters} dead letters read")
        return list(works.values())

    def _is_ours(self, heading: Heading) -> bool:
        ours = self._settings
        return (heading.task_name, heading.table, heading.region) == (
            ours.task_name,
            ours.destination_table,
            ours.destination_region,
        )

    def _settle(self, work: _Work) -> KeyResult | ReplicatorError:
        """Runs in the pool: one key, with retries by the policy. An exception that ends the run is returned."""
        try:
            return self._retry(lambda: self._try(work))
        except (RefusedError, UnsettledError, ValueError) as exc:  # the last: an image that can't be compared
            return self._result(work, "failing", reason=str(exc))
        except (StalledError, StoppedError, UnavailableError) as exc:
            return exc

    def _try(self, work: _Work) -> KeyResult:
        try:
            return self._look(work) if self._dry_run else self._reconcile(work)
        except CredentialsError:
            with contextlib.suppress(UnavailableError):  # the next attempt reports it, if it still fails
                self._table.renew_credentials()
            raise

    def _reconcile(self, work: _Work) -> KeyResult:
        if self._is_only_copy(work):
            return self._result(work, "failing", reason=_ONLY_COPY)
        done = reconcile(
            work.key,
            work.sequence_number,
            source=self._source,
            table=self._table,
            destination=self._destination,
            expiry=self._expiry,
        )
        if done.kind != "put" and self._is_only_copy(work):  # TTL has deleted it since
            return self._result(work, "failing", reason=_ONLY_COPY)
        if done.kind == "moot":
            return self._result(work, "moot")
        return self._result(work, "applied", write=done.kind)

    def _is_only_copy(self, work: _Work) -> bool:
        """Whether a letter may have the only copy of what is to be kept: with ttlDeletes=ignore, gone at the source.

        An item that is there and that the settings leave out is not gone.
        """
        return self._settings.keeps_expired and self._source.get(work.key) is None

    def _look(self, work: _Work) -> KeyResult:
        image = item_of(self._source, work.key)
        if image is None and self._settings.keeps_expired:
            return self._result(work, "failing", reason=_ONLY_COPY)
        if is_moot(image, item_of(self._destination, work.key), self._expiry):
            return self._result(work, "moot")
        return self._result(work, "applied", write="delete" if image is None or image is UNSEEN else "put")

    def _result(
        self, work: _Work, outcome: Became, *, write: Literal["put", "delete"] | None = None, reason: str | None = None
    ) -> KeyResult:
        return KeyResult(
            outcome=outcome,
            key=work.key,
            sequence_number=work.sequence_number,
            letters=[entry.place for entry in work.entries],
            write=write,
            reason=reason,
        )

    def _count(self, works: list[_Work], results: list[KeyResult | ReplicatorError], settled: list[Entry]) -> None:
        for work, result in zip(works, results, strict=True):
            if isinstance(result, KeyResult):
                self.report.add(result)
                if result.outcome != "failing" and not self._dry_run:
                    settled += work.entries
        for result in results:
            if isinstance(result, ReplicatorError):
                raise result

    def _remove(self, settled: list[Entry]) -> None:
        self.report.removed_letters += self._store.remove(settled) if settled else 0
        settled.clear()

    def _say(self) -> None:
        report = self.report
        self._progress(
            f"{report.keys - report.pending} of {report.keys} keys: {report.applied} applied, {report.moot} moot, "
            f"{report.failing} still failing"
        )


def _chunks(works: Sequence[_Work], size: int) -> Iterator[list[_Work]]:
    left = iter(works)
    while some := list(islice(left, size)):
        yield some
