"""The result of a verification, in numbers and key by key."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal

import msgspec

from processor.commands.verify.diff import AttributeDifference, Kind
from processor.commands.verify.digests import Role
from processor.commands.verify.marked import State
from processor.errors import OutputError, UsageError
from processor.reporting.printable import escaped
from processor.settings import attribute_paths
from processor.system import private_files
from processor.system.private_files import NotOursError

Verdict = Literal["missing", "extra", "different"]
# ``expired`` is not a difference: one table has deleted by TTL what the other will delete, too.
At = Literal["source", "destination", "both"]
Shown = Literal["missing", "extra", "different", "expired"]


class PathDifference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place where both items differ; with ``--values`` also what each has there, as DynamoDB JSON."""

    path: str
    kind: Kind
    source: dict[str, Any] | None = None
    destination: dict[str, Any] | None = None

    @classmethod
    def of(cls, found: AttributeDifference, *, values: bool) -> PathDifference:
        """For people and scripts."""
        both = {"source": found.source, "destination": found.destination} if values else {}
        return cls(path=attribute_paths.shown(found.path), kind=found.kind, **both)


class Repaired(msgspec.Struct, frozen=True, kw_only=True):
    """``write`` is the write that makes the destination equal; ``done`` is None with ``--dryRun``."""

    write: Literal["put", "delete"]
    done: bool | None = None
    reason: str | None = None


class Found(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A key that is missing, extra or different at the destination; ``paths`` says where, in the last case.

    ``at``: for a key that is ``expired``, the table that has it. ``marker``: of a two-way task, what the destination's
    item says of who has written it. ``item``: with ``--values``, the whole item of a key that only one table has, as
    DynamoDB JSON; of a two-way task's destination with its marker.
    """

    outcome: Shown
    key: msgspec.Raw
    paths: list[PathDifference] = []
    repair: Repaired | None = None
    at: At | None = None
    marker: State | None = None
    item: msgspec.Raw | None = None


class VerifyReport(msgspec.Struct, kw_only=True, rename="camel"):
    """Counts of keys, and the first ``keys`` of those that differ.

    ``source_expired`` and ``destination_expired``: of the items read, those past their TTL.
    ``changing``: the source changed them between all reads, so nothing is known. ``repaired``: how many of the missing,
    extra and different ones. Until it is ``complete``, the counts cover what was compared so far; with a
    ``samplePercent`` they are the sample's.
    """

    complete: bool = False
    sample_percent: float | None = None
    dry_run: bool = False
    source_items: int = 0
    destination_items: int = 0
    source_expired: int = 0
    destination_expired: int = 0
    equal: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    changing: int = 0
    repaired: int = 0
    keys: list[Found] = msgspec.field(default_factory=list)

    def add(self, other: VerifyReport, *, show: int) -> None:
        """Count what was found elsewhere, and name its keys while there are fewer than ``show``."""
        self.source_items += other.source_items
        self.destination_items += other.destination_items
        self.source_expired += other.source_expired
        self.destination_expired += other.destination_expired
        self.equal += other.equal
        self.missing += other.missing
        self.extra += other.extra
        self.different += other.different
        self.changing += other.changing
        self.repaired += other.repaired
        self.keys += other.keys[: max(0, show - len(self.keys))]

    @property
    def differing(self) -> int:
        """The number of keys that differ, without those that were repaired."""
        return self.missing + self.extra + self.different - self.repaired


class Results:
    """Counts into a ``Report``. Any number of threads may share it.

    :param show: how many keys the report names
    :param write: called with a line for each key that differs
    """

    def __init__(self, report: VerifyReport, *, show: int, write: Callable[[bytes], None] = lambda _: None) -> None:
        self.report = report
        self._show = show
        self._write = write
        self._lock = threading.Lock()

    def scanned(self, role: Role, items: int, expired: int) -> None:
        """Count items read from a table, and how many of them are past their TTL."""
        with self._lock:
            if role == "source":
                self.report.source_items += items
                self.report.source_expired += expired
            else:
                self.report.destination_items += items
                self.report.destination_expired += expired

    def equal(self, items: int) -> None:
        """Count keys that are equal."""
        with self._lock:
            self.report.equal += items

    def changing(self) -> None:
        """Count a key that changes too often to tell."""
        with self._lock:
            self.report.changing += 1

    def found(self, results: list[Found]) -> None:
        """Add keys that differ, differed until they were repaired, or are past their TTL and to be shown."""
        lines = "".join(escaped(msgspec.json.encode(found).decode()) + "\n" for found in results).encode()
        with self._lock:
            for found in results:
                self.report.missing += found.outcome == "missing"
                self.report.extra += found.outcome == "extra"
                self.report.different += found.outcome == "different"
                self.report.repaired += bool(found.repair and found.repair.done)
            self.report.keys += results[: self._show - len(self.report.keys)]
            self._write(lines)


class OutputFile:
    """A file of JSON lines, readable by its owner only: they hold keys, and with ``--values`` parts of items.

    :raises UsageError: it can't be written; what was there before is written over
    :raises OutputError: it can't be written any more
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self._path = path
        try:
            descriptor = private_files.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, shared=shared)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):  # a pipe or a terminal is others' too
                os.fchmod(descriptor, private_files.FILE_MODE)
        except NotOursError as exc:
            message = (
                f"--output {path}: {exc}. Others could read the keys, or have another file written over. Nothing was "
                f"compared. {exc.remedy}."
            )
            raise UsageError(message) from exc
        except OSError as exc:
            message = f"--output {path}: can't be written ({exc.strerror}). Nothing was compared. Name another file."
            raise UsageError(message) from exc
        self._file: IO[bytes] = os.fdopen(descriptor, "wb")

    def write(self, lines: bytes) -> None:
        """Append whole lines, at once."""
        with self._said():
            self._file.write(lines)
            self._file.flush()

    def __enter__(self) -> OutputFile:  # noqa: PYI034  # Self came with Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._said():
                self._file.close()
        except OutputError:
            if error is None:  # else it was said already, or something worse was
                raise

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise OutputError(str(self._path), exc.strerror or str(exc)) from exc
