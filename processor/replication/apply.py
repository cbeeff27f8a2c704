"""Changes → destination: calls side by side, each key's writes in order, and a decided outcome for every error.

=====================  ==============================================================================================
the destination says   what happens
=====================  ==============================================================================================
done                   next
partly unprocessed     the rest is written again, after a pause
not now (throttled,    the same writes again, with growing pauses, for as long as it takes; said once, then ever more
5xx, no answer, no     rarely. Nothing is given up, and nothing is checkpointed meanwhile
table, credentials)
never (refused)        a batch is written change by change to find the one; that one goes to ``refused``, which sets it
                       aside (``onError=deadLetter``), ends everything (``onError=stop``), or has the shard held at it:
                       the same write again, every minute (``standstill.py``)
=====================  ==============================================================================================
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, Protocol

import msgspec

from processor.errors import (
    CredentialsError,
    HeldError,
    RefusedError,
    ThrottledError,
    UnavailableError,
    UnviewableError,
    let_go,
)
from processor.flow.outage import Outage
from processor.flow.retry_policy import RECORDS, Backoff, RetryPolicy
from processor.replication import remedies
from processor.replication.change import Change
from processor.replication.coalescing import Coalescing
from processor.replication.concurrency import ConcurrencyLimit
from processor.replication.plan import MAX_ITEMS_PER_CALL, calls, plan
from processor.replication.writer import Table

Refused = Callable[[Change, RefusedError], None]
_ASKING_NOTHING = ("nothing", "echo")
_Unwritten = tuple[Change, Literal["moot", "set aside"]]


class Holding(Protocol):
    """Holds the shard at a change that a person has to see to; ``standstill.Standstill`` implements it."""

    def wait(self, held: HeldError, cut_short: threading.Event) -> None:
        """Return when the change is to be tried again."""

    def over(self, held: HeldError) -> None:
        """Note that the change is written or set aside."""


class NoHolding:
    """Holds nothing: for a command that somebody waits for."""

    def wait(self, held: HeldError, cut_short: threading.Event) -> None:  # noqa: ARG002  # the protocol's
        """End."""
        raise held

    def over(self, held: HeldError) -> None:
        """Nothing."""


class EarlierBatches(Protocol):
    """Stores the checkpoint of batches before the one in hand; ``checkpoint.Checkpoint`` implements it."""

    def store_if_due(self) -> None:
        """Store the checkpoint if it is due. Raises as ``checkpoint.Checkpoint.store`` does."""

    def store(self) -> None:
        """Store the checkpoint now. Raises as ``checkpoint.Checkpoint.store`` does."""


class NoEarlierBatches:
    """Stores nothing: a command has no checkpoints."""

    def store_if_due(self) -> None:
        """Nothing."""

    def store(self) -> None:
        """Nothing."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch: ``records`` is the sum of the others.

    ``moot``: the destination has a newer change of the key already, as it says in fenced mode only. ``filtered``: by
    the task's view of its items there is nothing to write. ``echoes``: the replicator's own writes, which two-way's
    uplink passes over.
    """

    records: int = 0
    puts: int = 0
    deletes: int = 0
    coalesced: int = 0
    moot: int = 0
    filtered: int = 0
    echoes: int = 0
    set_aside: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class Applier:
    """Applies one shard's batches, one after the other.

    :param coalescing: says which changes of a batch are written
    :param refused: called with each change that the destination will never accept; what it raises, ``apply`` raises,
        but an ``UnavailableError``, after which the change is tried again
    :param holding: waits before that where it was a ``HeldError``
    :param earlier: checkpointed by whatever thread waits, if it is due; before the shard is held, in any case: a held
        shard may be given up at any time
    :param policy: how long to pause; nothing of it ends a batch
    :param retried: called, by any thread, with each error after which a call is made again
    """

    def __init__(
        self,
        table: Table,
        *,
        name: str,
        write_mode: str,
        coalescing: Coalescing,
        threads: int,
        refused: Refused,
        outage: Outage,
        holding: Holding | None = None,
        earlier: EarlierBatches | None = None,
        retried: Callable[[UnavailableError], None] = lambda _: None,
        policy: RetryPolicy = RECORDS,
    ) -> None:
        self._table = table
        self._call_items = MAX_ITEMS_PER_CALL if write_mode == "batch" else 1
        self._coalescing = coalescing
        self._refused = refused
        self._outage = outage
        self._holding = holding or NoHolding()
        self._earlier = earlier or NoEarlierBatches()
        self._retried = retried
        self._policy = policy
        self._concurrency = ConcurrencyLimit(threads, name=f"{name}-apply")

    def apply(self, changes: Sequence[Change]) -> Outcome:
        """Write a batch; returns when all of it is written, superseded within it, set aside, or asks for no write.

        :param changes: in the stream's order
        :raises LeaseLostError, DaemonGoneError: as the table's calls do; some of the batch may be written
        """
        asking = [change for change in changes if change.kind not in _ASKING_NOTHING]
        writes = self._coalescing(asking)
        unwritten = [each for round_ in plan(writes) for each in self._apply_round(round_)]
        without = {id(change) for change, _ in unwritten}
        kinds = [change.kind for change in writes if id(change) not in without]
        reasons = [reason for _, reason in unwritten]
        return Outcome(
            records=len(changes),
            puts=kinds.count("put"),
            deletes=kinds.count("delete"),
            coalesced=len(asking) - len(writes),
            moot=reasons.count("moot"),
            filtered=sum(change.kind == "nothing" for change in changes),
            echoes=sum(change.kind == "echo" for change in changes),
            set_aside=reasons.count("set aside"),
        )

    def _apply_round(self, writes: Sequence[Change]) -> list[_Unwritten]:
        if len(writes) == 1:
            return self._concurrency.run_one(partial(self._write_one, writes[0], threading.Event()))
        unwritten: list[_Unwritten] = []
        errors: list[BaseException] = []
        failed = threading.Event()  # one call that raises ends the waiting of the others

        def write(batch: list[Change]) -> None:
            try:
                unwritten.extend(self._write(batch, failed))
            except BaseException as exc:  # noqa: BLE001  # raised below
                errors.append(exc)
                failed.set()

        self._concurrency.run([partial(write, batch) for batch in calls(writes, max_items=self._call_items)])
        if errors:
            # The refusal says more than the calls it cut short.
            raise next((error for error in errors if not isinstance(error, UnavailableError)), errors[0])
        return unwritten

    def _write(self, batch: list[Change], cut_short: threading.Event) -> list[_Unwritten]:
        if len(batch) == 1 or any(change.fault for change in batch):
            return [each for change in batch for each in self._write_one(change, cut_short)]
        backoff = Backoff(self._policy)
        pending = batch
        while pending:
            try:
                began = time.perf_counter()
                undone = self._table.write_batch(pending)
                self._concurrency.answered(time.perf_counter() - began)
            except RefusedError:
                return [each for change in pending for each in self._write_one(change, cut_short)]
            except UnavailableError as error:
                self._pause(error, backoff, cut_short)
                continue
            if len(undone) < len(pending):
                self._outage.succeeded()
                backoff.reset()
            if undone:
                reason = f"{len(undone)} of {len(pending)} writes to table {self._table.name} came back unprocessed"
                self._pause(ThrottledError(reason, code="UnprocessedItems"), backoff, cut_short)
            pending = undone
        return []

    def _write_one(self, change: Change, cut_short: threading.Event) -> list[_Unwritten]:
        backoff = Backoff(self._policy)
        held: HeldError | None = None
        while True:
            try:
                _refuse_faulty(change)
                began = time.perf_counter()
                written = self._table.write_one(change)
                self._concurrency.answered(time.perf_counter() - began)
            except RefusedError as refusal:
                try:
                    self._refused(change, refusal)
                except HeldError as error:
                    held = self._hold(error, cut_short)
                except UnavailableError as error:  # it can't be set aside now; at the next try it may be accepted
                    self._pause(error, backoff, cut_short)
                else:
                    unwritten: list[_Unwritten] = [(change, "set aside")]
                    break
            except HeldError as error:
                held = self._hold(error, cut_short)
            except UnavailableError as error:
                self._pause(error, backoff, cut_short)
            else:
                self._outage.succeeded()
                unwritten = [] if written else [(change, "moot")]
                break
        if held is not None:
            self._holding.over(held)
        return unwritten

    def _hold(self, error: HeldError, cut_short: threading.Event) -> HeldError:
        self._earlier.store()
        self._holding.wait(error, cut_short)
        return error

    def _pause(self, error: UnavailableError, backoff: Backoff, cut_short: threading.Event) -> None:
        self._outage.failed(error.code, remedies.advised(error))
        self._retried(error)
        if isinstance(error, ThrottledError):
            self._concurrency.throttled()
        let_go(error)
        self._earlier.store_if_due()
        if cut_short.wait(backoff.next_seconds()):
            raise error
        if isinstance(error, CredentialsError):
            with contextlib.suppress(UnavailableError):  # the next try says so, if it is still so
                self._table.renew_credentials()


def _refuse_faulty(change: Change) -> None:
    """Refuse what can't be written, as the destination would.

    :raises UnviewableError: no view could be made of the source's item
    """
    if change.fault is not None:
        raise UnviewableError(change.fault.reason, code=change.fault.code)
