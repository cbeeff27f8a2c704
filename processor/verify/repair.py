"""Makes the destination's item of a key the source's, by the rule of ``reconcile.py``, and looks whether it is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import msgspec

from processor.errors import RefusedError, UnsettledError
from processor.fences import NO_NUMBER
from processor.patience import Patience
from processor.reconcile import Source, reconcile
from processor.verify.form import Form
from processor.verify.report import Found, Repaired
from processor.writable_table import Table

# A write may be moot by ``writeMode=fenced``, where a change came first; and the source may change again after it.
_TRIES = 3


def would_repair(found: list[Found]) -> list[Found]:
    """What ``Repair`` would do; it does nothing."""
    return [msgspec.structs.replace(each, repair=Repaired(write=_write(each))) for each in found]


class Repair:
    """Repairs keys, some at a time. Any number of threads may share it.

    :param destination: ``table`` for reading
    :param number_of: from a key to the sequence number that its writes carry
    :param threads: keys in hand at once
    """

    def __init__(
        self,
        *,
        source: Source,
        destination: Source,
        table: Table,
        form: Form,
        patience: Patience,
        threads: int,
        number_of: Callable[[msgspec.Raw], str] = lambda _: NO_NUMBER,
    ) -> None:
        self._source = source
        self._destination = destination
        self._table = table
        self._form = form
        self._patience = patience
        self._number_of = number_of
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="verify-repair")

    def __call__(self, found: list[Found]) -> list[Found]:
        """Repair each, whatever it is by now.

        :returns: the same keys, with what became of them
        :raises UnavailableError: one of the tables can't be used now
        :raises StoppedError: the command was stopped; keys in hand may be done
        """
        return list(self._pool.map(self._one, found))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _one(self, found: Found) -> Found:
        return msgspec.structs.replace(found, repair=self._repaired(found))

    def _repaired(self, found: Found) -> Repaired:
        write = _write(found)
        for _ in range(_TRIES):
            try:
                done = self._patience(lambda: self._reconcile(found.key))
            except (RefusedError, UnsettledError) as exc:
                return Repaired(write=write, done=False, reason=str(exc))
            write = write if done == "moot" else done
            if self._patience(lambda: self._is_same(found.key)):
                return Repaired(write=write, done=True)
        return Repaired(write=write, done=False, reason=f"it differs after {_TRIES} writes: it is changed all the time")

    def _reconcile(self, key: msgspec.Raw) -> Literal["put", "delete", "moot"]:
        number = self._number_of(key)
        return reconcile(key, number, source=self._source, table=self._table, destination=self._destination).kind

    def _is_same(self, key: msgspec.Raw) -> bool:
        return self._form.same(self._source.get(key), self._destination.get(key))


def _write(found: Found) -> Literal["put", "delete"]:
    return "delete" if found.outcome == "extra" else "put"
