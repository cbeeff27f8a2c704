"""A pass of the continuous verification: its progress and what it finds are kept in the task's row.

A run that is killed loses at most what it has read since ``SAVE_SECONDS``, and the parts in hand: the next one, on any
machine, goes on with those that are not settled (``settled.py``). What differs is looked up at the end of a pass, and
is found again by the next run where that is killed.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from processor.commands.verify import outcome, pace
from processor.commands.verify.options import VerifyOptions
from processor.commands.verify.pace import Pace
from processor.commands.verify.report import VerifyReport
from processor.commands.verify.settled import PartCounts, Settled, SettledParts
from processor.errors import NotFoundError, NotReadyError, ReplicatorError, UnavailableError, UsageError
from processor.state import verification_row
from processor.state.verification_row import Pass
from processor.system import process_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from processor.flow.retry import Retry
    from processor.settings.settings import Settings

SAVE_SECONDS = 30.0
# Of each table: so much is read again, for each part that a killed run had in hand.
_BYTES_PER_PART = 16 * 1024 * 1024
_FEWEST_PARTS, _MOST_PARTS = 16, 4096
# At a limited pace more only wait for each other, and each has a part in hand.
_THREADS = 4
# With pauses of 1, 2, 4 ... 60 s: a replica that is three minutes behind is no difference.
_LOOKS = 8
# Where verifyEvery is not set: a pass by hand.
_DAY_SECONDS = 86_400


def options_of(settings: Settings, given: VerifyOptions) -> VerifyOptions:
    """How a pass compares.

    :raises UsageError: an option says otherwise
    """
    alone = VerifyOptions(rolling=True, as_json=given.as_json, show=given.show, output=given.output)
    if given != alone:
        message = (
            "--rolling compares everything by the settings (verifyReadUnits, verifyRepair), and takes beside it only "
            "--show, --output and --json. Nothing was compared. Leave the others out, or --rolling."
        )
        raise UsageError(message)
    repair = settings.verify_repair
    return msgspec.structs.replace(
        given, recheck=_LOOKS, repair=repair != "false", delete_extra=repair == "deleteExtra"
    )


def settings_of(settings: Settings) -> Settings:
    """The settings with few threads, and one process unless ``verifyProcesses`` says otherwise."""
    return msgspec.structs.replace(
        settings,
        apply_threads=min(settings.threads, _THREADS),
        verify_processes=settings.verify_processes or 1,
    )


def pace_of(settings: Settings, source: Mapping[str, Any], destination: Mapping[str, Any]) -> Pace:
    """How fast a pass reads.

    :raises UsageError: see ``pace.of_setting``
    """
    if settings.verify_read_units is not None:
        return pace.of_setting(settings.verify_read_units, source, destination)
    return pace.spread(source, destination, every_seconds=settings.verification_seconds or _DAY_SECONDS)


class Rolling:
    """One run of a pass, which is left where the context is. Not for several threads at once.

    :param connect: makes a client of the task table
    :param scope: see ``Pass``
    :param retry: of calls to the task table
    """

    def __init__(
        self,
        connect: Callable[[], DynamoDBClient],
        table: str,
        *,
        scope: str,
        source: Mapping[str, Any],
        destination: Mapping[str, Any],
        retry: Retry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._connect = connect
        self._table = table
        self._retry = retry
        self._clock = clock
        found = retry(lambda: verification_row.read(connect(), table))
        before = found.running if found else None
        self._pass = self._begun(before, scope, source, destination)
        self.settled = SettledParts(self._pass.parts, _settled(self._pass))
        self._due = clock() + SAVE_SECONDS
        self._is_finished = False
        try:
            retry.ask(lambda: verification_row.begin(connect(), table, self._pass, seen=before))
        except NotFoundError as exc:
            message = (
                f"Task table {table}: does not exist, so this replication was never started. Nothing was compared. "
                "Start it, or verify without --rolling."
            )
            raise NotReadyError(message) from exc

    def _begun(
        self, before: Pass | None, scope: str, source: Mapping[str, Any], destination: Mapping[str, Any]
    ) -> Pass:
        """The pass that goes on, or a new one."""
        ours: dict[str, Any] = {"holder": uuid.uuid4().hex, "host": process_name.here(), "saved_ms": self._now_ms()}
        if before is not None and before.scope == scope:
            return msgspec.structs.replace(before, **ours)
        largest = max(int(table.get("TableSizeBytes", 0)) for table in (source, destination))
        return Pass(
            **ours,
            started_ms=self._now_ms(),
            scope=scope,
            parts=min(max(largest // _BYTES_PER_PART, _FEWEST_PARTS), _MOST_PARTS),
            expected_items=int(source.get("ItemCount", 0)),
        )

    def save_now_and_then(self) -> None:
        """Store how far it is, if it is time and there is news.

        :raises PassTakenError: another run goes on with it
        """
        if self._clock() < self._due:
            return
        self._due = self._clock() + SAVE_SECONDS
        try:
            verification_row.save(self._connect(), self._table, self._now())
        except UnavailableError:
            return  # the next time, or at the end; until then nothing is lost but progress

    def finish(self, report: VerifyReport) -> None:
        """Store what the whole pass has found.

        :raises PassTakenError: another run goes on with it
        :raises ReplicatorError: it can't be stored
        """
        found = outcome.verified(report, through_ms=self._pass.started_ms, ended_ms=self._now_ms())
        self._retry(lambda: verification_row.finish(self._connect(), self._table, self._pass, found))
        self._is_finished = True

    def __enter__(self) -> Rolling:  # noqa: PYI034  # Self came with Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        """Store how far it is, for the next run."""
        if self._is_finished:
            return
        try:
            verification_row.save(self._connect(), self._table, self._now())
        except ReplicatorError:
            return  # it goes on from what was stored before

    def _now(self) -> Pass:
        numbers, counts = self.settled.settled
        return msgspec.structs.replace(
            self._pass,
            saved_ms=self._now_ms(),
            settled=verification_row.packed(numbers),
            **msgspec.structs.asdict(counts),
        )

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _settled(begun: Pass) -> Settled:
    counts = {name: getattr(begun, name) for name in PartCounts.__struct_fields__}
    return Settled(begun.numbers, PartCounts(**counts))
