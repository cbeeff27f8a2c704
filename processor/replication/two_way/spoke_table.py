"""The spoke as commands write it: copy, redrive and verify's repair bring an item to what the hub has.

What they write bears a marker with the number that stands there, so each record of the hub from that one on is still
applied, and the uplink knows it for the replicator's own. Where the spoke has no item yet, as in most of a copy, one
call does it: a put on condition that there still is none. Everything else is done by the checked steps of
``restore.py``, which read both sides.

A hub's delete that comes between the read of the hub and that one put finds nothing to delete, so who calls this beside
a replication reads the hub again after its write (``reconcile.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.errors import UnavailableError, UnsettledError
from processor.replication.change import Change
from processor.replication.reconcile import item_of
from processor.replication.two_way.conditions import Unchanged
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.requests import Found, Get, GetHub, Outcome, Put, Request, Written
from processor.replication.two_way.restore import restore
from processor.replication.two_way.stamp import new_stamp
from processor.replication.two_way.writer import TwoWayTable
from processor.replication.writer import NOTHING_NEWER, TableOptions

if TYPE_CHECKING:
    import msgspec
    from typing_extensions import Unpack

    from processor.replication.reconcile import SourceReader


class SpokeTable(TwoWayTable):
    """The destination of a two-way task, for commands.

    :param markers: of the task
    :param hub: its source, for reading
    :param spoke: the same table, for reading, with the markers that its items have
    """

    def __init__(
        self,
        name: str,
        *,
        markers: Markers,
        hub: SourceReader,
        spoke: SourceReader,
        **options: Unpack[TableOptions],
    ) -> None:
        super().__init__(name, markers=markers, returns="NONE", **options)
        self._hub = hub
        self._spoke = spoke

    def write_one(self, change: Change) -> bool:
        """Make the spoke's item of a change's key the hub's: the change's own image, if the spoke has none.

        :returns: whether anything was written
        :raises RefusedError: the spoke will never accept it
        :raises UnavailableError: it may be done or not; do all of it again
        """
        if change.image is not None:
            item = self._markers.copied(change.image, change.identity, over=None, stamp=new_stamp())
            if isinstance(self._made(Put(item, Unchanged(None)), change), Written):
                return True
        try:
            return self._finish(restore(change.identity, markers=self._markers, stamp=new_stamp), change) != "moot"
        except UnsettledError as exc:
            raise UnavailableError(str(exc), code="Unsettled") from exc

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:  # noqa: ARG002  # the protocol's
        """As ``write_one``, which leaves a newer item where it is, whatever was ``there``."""
        self.write_one(change)
        return NOTHING_NEWER

    def _made(self, request: Request, change: Change) -> Outcome:
        if isinstance(request, Get):
            return Found(self._spoke.get(change.key))
        if isinstance(request, GetHub):
            return Found(item_of(self._hub, change.key))
        return super()._made(request, change)
