"""The copy that a command asks for: a new one, the one that is gone on with, or the one that others work on."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from processor.commands.copy import estimate
from processor.dynamodb import segments
from processor.dynamodb.stream_retention import RETENTION_SECONDS
from processor.errors import CopyTooLateError, NotReadyError
from processor.state.copy_rows import CopyState
from processor.system import process_name

if TYPE_CHECKING:
    from processor.settings.settings import Settings
    from processor.state.sharing.watch import Found


class AskedCopy(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings, the command's options and the tables as they are say of it.

    :param source: DescribeTable of it
    :param destination: the same; empty where there is none yet
    :param via: ``s3://bucket/prefix``, for a managed export and import; else empty
    :param concurrent: it is made beside a replication
    :param replicating: which has begun
    :param view_digest: by which view of the items it is made
    """

    settings: Settings
    source: dict[str, Any]
    destination: dict[str, Any]
    via: str
    concurrent: bool
    replicating: bool
    view_digest: str

    def new(self, before: CopyState | None) -> CopyState:
        """One that begins now.

        :param before: the last one, which is given up
        """
        return CopyState(
            id=uuid.uuid4().hex,
            concurrent=self.concurrent,
            segments=self.settings.copy_segments or segments.count(int(self.source.get("TableSizeBytes", 0))),
            started_ms=int(time.time() * 1000),
            stream_arn=self.source["LatestStreamArn"],
            source_id=self.source.get("TableId", ""),
            destination_id=self.destination.get("TableId", ""),
            expected_items=int(self.source.get("ItemCount", 0)),
            expected_bytes=int(self.source.get("TableSizeBytes", 0)),
            onto_items=self._is_onto_items(before),
            via=self.via,
            view_digest=self.view_digest,
        )

    def _is_onto_items(self, before: CopyState | None) -> bool:
        """Whether the destination holds items, by what is known: the table's own count is up to six hours old."""
        if self.via:
            return False
        made = self.destination.get("TableId", "")
        of_earlier_copy = before is not None and before.destination_id in ("", made)
        return of_earlier_copy or int(self.destination.get("ItemCount", 0)) > 0

    def gone_on_with(self, before: CopyState) -> CopyState:
        """The one that was begun, as it is from now on.

        :raises NotReadyError: it can't go on, or is done and replicated since
        """
        if before.followed:
            when = time.strftime("%Y-%m-%d", time.localtime((before.finished_ms or before.started_ms) / 1000))
            message = (
                f"Table {self.settings.source_table} was copied on {when}, and replicated since. Nothing was copied "
                "now. --restart copies it anew; beside the replication, with --concurrent."
            )
            raise NotReadyError(message)
        self._insist_on_same(before)
        if before.state == "done":
            return before
        if before.via != self.via:
            raise _cannot_go_on(f"it was begun {'with --viaS3 ' + before.via if before.via else 'without --viaS3'}")
        concurrent = before.concurrent or self.concurrent
        # By way of S3 it has hours of its own, at each step.
        last_seconds = RETENTION_SECONDS if concurrent else estimate.LAST_SECONDS
        through = before.via or (concurrent and self.replicating)
        if not through and before.age_seconds > last_seconds:
            late = CopyTooLateError(hours=before.age_seconds / 3600, concurrent=concurrent)
            message = f"{late} Nothing was copied now."
            raise NotReadyError(message)
        return msgspec.structs.replace(before, concurrent=concurrent)

    def _insist_on_same(self, before: CopyState) -> None:
        """See that it is of the stream, the destination and the view of now.

        :raises NotReadyError: it isn't
        """
        if before.stream_arn != self.source["LatestStreamArn"]:
            raise _cannot_go_on(
                "the source's stream was turned off and on again since it began, so changes would be lost"
            )
        if before.destination_id and before.destination_id != self.destination.get("TableId", before.destination_id):
            raise _cannot_go_on("the destination was deleted and made again since it began")
        if before.view_digest != self.view_digest:
            raise _cannot_go_on(
                "the settings for what is left out, masked, renamed or added have changed since it began"
            )

    def joins(self, found: Found[CopyState], *, restart: bool) -> bool:
        """Whether this machine works on a copy that others work on.

        :raises NotReadyError: it can't, for they do it in another way
        """
        if not found.worker or found.work is None or found.work.members is None or self.via or found.work.via:
            return False
        reason = ""
        if restart:
            reason = "--restart begins anew what they are doing"
        elif self.concurrent and not found.work.concurrent:
            reason = "it was begun without --concurrent, and is not safe beside a replication while they run it so"
        if reason:
            message = (
                f"This task's copy is being run by {process_name.name_of(found.worker)}, and {reason}. Nothing was "
                "begun here. Let it finish, or stop it wherever it runs; or give the command without that option, to "
                "share the work."
            )
            raise NotReadyError(message)
        return True


def _cannot_go_on(reason: str) -> NotReadyError:
    return NotReadyError(f"This task's copy can't go on: {reason}. Nothing was copied now. Begin anew with --restart.")
