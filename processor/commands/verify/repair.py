"""Makes the destination's item of a key equal to the source's, by the rule of ``reconcile.py``, and checks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import msgspec

from processor.commands.verify.judge import Judge
from processor.commands.verify.report import Found, Repaired
from processor.errors import RefusedError, ReplicatorError, UnsettledError
from processor.flow.retry import Retry
from processor.replication.change import Change
from processor.replication.fences import NO_NUMBER
from processor.replication.reconcile import SourceReader, reconcile
from processor.replication.writer import Table

# With ``writeMode=fenced`` a write is moot if a change came first; and the source may change again after it.
_TRIES = 3
_UNKNOWN = "written, but not looked at again; it may hold an older image: run verify --repair again"

Tell = Callable[[list[Found]], None]


def would_repair(found: list[Found], tell: Tell) -> None:
    """Report what ``Repair`` would do, and do nothing."""
    tell([msgspec.structs.replace(each, repair=Repaired(write=_write(each))) for each in found])


def keeping_extra(repair: Callable[[list[Found], Tell], None]) -> Callable[[list[Found], Tell], None]:
    """``repair`` for all keys except those that only the destination has, which may be another application's."""

    def some(found: list[Found], tell: Tell) -> None:
        tell([each for each in found if each.outcome == "extra"])
        repair([each for each in found if each.outcome != "extra"], tell)

    return some


class _Noted:
    """Implements ``replication.writer.Table``: passes writes to another one, and remembers whether there were any."""

    def __init__(self, table: Table) -> None:
        self.name = table.name
        self.may_be_written = False
        self._table = table

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """As the table's."""
        self.may_be_written = True
        return self._table.write_batch(changes)

    def write_one(self, change: Change) -> bool:
        """As the table's."""
        self.may_be_written = True
        return self._table.write_one(change)

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:
        """As the table's."""
        self.may_be_written = True
        return self._table.exchange(change, there)

    def renew_credentials(self) -> None:
        """As the table's."""
        self._table.renew_credentials()


class Repair:
    """Repairs keys, some at a time. Any number of threads may share it.

    :param destination: reads ``table``
    :param judge: decides whether a key still differs
    :param number_of: maps a key to the sequence number that its writes carry
    :param threads: keys processed at once
    """

    def __init__(
        self,
        *,
        source: SourceReader,
        destination: SourceReader,
        table: Table,
        judge: Judge,
        retry: Retry,
        threads: int,
        number_of: Callable[[msgspec.Raw], str] = lambda _: NO_NUMBER,
    ) -> None:
        self._source = source
        self._destination = destination
        self._table = table
        self._judge = judge
        self._retry = retry
        self._number_of = number_of
        self._error: ReplicatorError | None = None
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="verify-repair")

    def __call__(self, found: list[Found], tell: Tell) -> None:
        """Repair each of them, whatever its state is now.

        :param tell: called with the same keys and the results, before anything is raised: a key that was interrupted
            between its write and the read after it may have an older image over a newer one
        :raises UnavailableError: one of the tables can't be used now; no other key is begun
        :raises StoppedError: the command was stopped; keys in progress may be done
        """
        tell(list(self._pool.map(self._one, found)))
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _one(self, found: Found) -> Found:
        return msgspec.structs.replace(found, repair=self._repaired(found))

    def _repaired(self, found: Found) -> Repaired:
        write, table = _write(found), _Noted(self._table)
        if self._error is not None:
            return Repaired(write=write, done=False, reason=f"not begun: {self._error}")
        try:
            for _ in range(_TRIES):
                done = self._retry(lambda: self._reconcile(found.key, table))
                write = write if done == "moot" else done
                if self._retry(lambda: self._is_same(found.key)):
                    return Repaired(write=write, done=True)
        except (RefusedError, UnsettledError) as exc:
            return Repaired(write=write, done=False, reason=str(exc))
        except ReplicatorError as exc:
            self._error = exc
            return Repaired(write=write, done=False, reason=_UNKNOWN if table.may_be_written else f"not begun: {exc}")
        return Repaired(write=write, done=False, reason=f"it differs after {_TRIES} writes: it is changed all the time")

    def _reconcile(self, key: msgspec.Raw, table: Table) -> Literal["put", "delete", "moot"]:
        number = self._number_of(key)
        return reconcile(
            key,
            number,
            source=self._source,
            table=table,
            destination=self._destination,
            expiry=self._judge.expiry,
        ).kind

    def _is_same(self, key: msgspec.Raw) -> bool:
        return self._judge.same(self._source.get(key), self._destination.get(key))


def _write(found: Found) -> Literal["put", "delete"]:
    return "delete" if found.outcome == "extra" else "put"
