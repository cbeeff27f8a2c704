"""Looks whether the destination holds items before a copy's first write that are not the source's.

Of a two-way task also whether they bear markers that this task's hub has not made. A marker has the number of a change
of the hub's, and nothing with a lower number is written over it. Numbers of another hub's stream mean nothing here, so
this hub's changes might be passed over, in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from processor.dynamodb.keys import identity_of, key_reader
from processor.dynamodb.occupancy import MOST_PAGES
from processor.dynamodb.scanner import Segment
from processor.errors import CredentialsError, RefusedError
from processor.flow.retry import Retry
from processor.replication import tables
from processor.replication.two_way.marker import NO_RECORD, Markers
from processor.reporting.findings import Finding, error, warning
from processor.settings.table_pair import TableIdentity
from processor.system import program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.aws.clients import Clients
    from processor.settings.settings import Settings

# A scan goes by the hash of the keys, so the first are as good a sample as any. So many fit one BatchGetItem.
PROBE_ITEMS = 100


class Occupants(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Some items of the destination.

    :param looked_at: the number of items read; 0 for an empty table
    :param foreign: those of them whose key the source doesn't have
    :param numbered: of a two-way task, those of them whose marker has the number of a hub's change
    """

    looked_at: int
    foreign: int
    numbered: int = 0

    @property
    def shown(self) -> str:
        """For people."""
        if not self.looked_at:
            return "empty"
        return f"holds items: of {self.looked_at} looked at, {self.foreign} have a key that the source doesn't have"


def look(
    settings: Settings, clients: Clients, key_names: Sequence[str], retry: Retry
) -> tuple[Occupants | None, list[Finding]]:
    """Read some items of the destination, and their keys in the source.

    :returns: None, after a warning, if this is not allowed
    """
    try:
        found = _look(settings, clients, key_names, retry)
        # One answer without items may be wrong, and the copy would write over others' without a word.
        return found if found.looked_at else _look(settings, clients, key_names, retry), []
    except (CredentialsError, RefusedError) as exc:
        unknown = warning(
            "destination-items-unknown",
            f"items of destination table {settings.destination_table}",
            f"can't be looked at ({exc})",
            "Whether it holds items that are not the source's is not known before the copy writes",
            "Allow dynamodb:Scan on it; run.sh policy prints what is needed",
        )
        return None, [unknown]


def _look(settings: Settings, clients: Clients, key_names: Sequence[str], retry: Retry) -> Occupants:
    key_of = key_reader(key_names)
    destination = tables.scannable_destination(settings, clients)
    source = tables.source(settings, clients, view=None)
    keys: dict[bytes, msgspec.Raw] = {}
    numbered = 0
    markers = Markers(settings.marker_attribute) if settings.two_way else None
    start: msgspec.Raw | None = None
    for _ in range(MOST_PAGES):
        begin = start
        page = retry.ask(lambda: destination.page(Segment(0, 1), begin, limit=PROBE_ITEMS))  # noqa: B023  # at once
        here = {identity_of(key_of(item)): item for item in page.items}
        keys |= {identity: key_of(item) for identity, item in here.items()}
        if markers is not None:
            numbered += sum(_is_numbered(markers, item, identity) for identity, item in here.items())
        start = page.last_key
        if keys or start is None:
            break
    if not keys:
        return Occupants(looked_at=0, foreign=0)
    found = {identity_of(key_of(item)) for item in retry.ask(lambda: source.get_many(list(keys.values())))}
    return Occupants(looked_at=len(keys), foreign=len(keys.keys() - found), numbered=numbered)


def _is_numbered(markers: Markers, item: msgspec.Raw, identity: bytes) -> bool:
    reading = markers.read(item, identity)
    return reading is not None and reading.marker is not None and reading.marker.sequence_number != NO_RECORD


def findings(occupants: Occupants, destination: TableIdentity, *, begun: bool) -> list[Finding]:
    """A warning where the destination holds what isn't the source's, and an error where it has another task's markers.

    :param begun: whether the replication has checkpoints, and so may have made the markers itself
    """
    shown = f"destination table {destination.table} in {destination.region} ({destination.arn or 'no ARN'})"
    if occupants.numbered and not begun:
        return [
            error(
                "markers-of-others",
                shown,
                "bears markers that this task has not made, for it has no checkpoints: "
                f"{occupants.numbered} of {occupants.looked_at} items looked at",
                "Their numbers are of another replication's stream, and where one is higher than a change's of this "
                "source, that change would be passed over",
                f"Remove them first: {program.COMMAND} unmark FILE --twoWay false",
            )
        ]
    if not occupants.foreign:
        return []
    return [
        warning(
            "destination-items-foreign",
            shown,
            f"holds items whose keys the source doesn't have: {occupants.foreign} of {occupants.looked_at} looked at",
            "They are another application's, or were deleted at the source since an earlier copy. Copy leaves them, "
            "and writes over each item whose key the source has, too",
            "If it is not the table that you mean, stop now, and check destinationTable, destinationRegion and whose "
            "credentials these are",
        )
    ]
