"""Looks whether the destination holds items before a copy's first write that are not the source's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from processor.dynamodb.keys import identity_of, key_reader
from processor.dynamodb.scanner import Segment
from processor.errors import CredentialsError, RefusedError
from processor.flow.retry import Retry
from processor.replication import tables
from processor.reporting.findings import Finding, warning
from processor.settings.table_pair import TableIdentity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.aws.clients import Clients
    from processor.settings.settings import Settings

# A scan goes by the hash of the keys, so the first are as good a sample as any. So many fit one BatchGetItem.
PROBE_ITEMS = 100
# A table from which much was deleted may have empty pages.
_MOST_PAGES = 20


class Occupants(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Some items of the destination.

    :param looked_at: the number of items read; 0 for an empty table
    :param foreign: those of them whose key the source doesn't have
    """

    looked_at: int
    foreign: int

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
        return _look(settings, clients, key_names, retry), []
    except (CredentialsError, RefusedError) as exc:
        found = warning(
            "destination-items-unknown",
            f"items of destination table {settings.destination_table}",
            f"can't be looked at ({exc})",
            "Whether it holds items that are not the source's is not known before the copy writes",
            "Allow dynamodb:Scan on it; run.sh policy prints what is needed",
        )
        return None, [found]


def _look(settings: Settings, clients: Clients, key_names: Sequence[str], retry: Retry) -> Occupants:
    key_of = key_reader(key_names)
    destination = tables.scannable_destination(settings, clients)
    source = tables.source(settings, clients, view=None)
    keys: dict[bytes, msgspec.Raw] = {}
    start: msgspec.Raw | None = None
    for _ in range(_MOST_PAGES):
        begin = start
        page = retry.ask(lambda: destination.page(Segment(0, 1), begin, limit=PROBE_ITEMS))  # noqa: B023  # at once
        keys |= {identity_of(key): key for key in map(key_of, page.items)}
        start = page.last_key
        if keys or start is None:
            break
    if not keys:
        return Occupants(looked_at=0, foreign=0)
    found = {identity_of(key_of(item)) for item in retry.ask(lambda: source.get_many(list(keys.values())))}
    return Occupants(looked_at=len(keys), foreign=len(keys.keys() - found))


def findings(occupants: Occupants, destination: TableIdentity) -> list[Finding]:
    """A warning where the destination holds what isn't the source's."""
    if not occupants.foreign:
        return []
    return [
        warning(
            "destination-items-foreign",
            f"destination table {destination.table} in {destination.region} ({destination.arn or 'no ARN'})",
            f"holds items whose keys the source doesn't have: {occupants.foreign} of {occupants.looked_at} looked at",
            "They are another application's, or were deleted at the source since an earlier copy. Copy leaves them, "
            "and writes over each item whose key the source has, too",
            "If it is not the table that you mean, stop now, and check destinationTable, destinationRegion and whose "
            "credentials these are",
        )
    ]
