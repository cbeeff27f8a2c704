"""The demo of a replica that looks after itself (``--bootstrap``): a filled source, and a destination not yet there.

The source is filled before it has a stream, as a table is that has been in use for years: only a copy brings that. The
daemon makes all else. The copy is slowed down, so that a person sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.commands.demo.workload import Item, create_table
from processor.errors import UnavailableError
from processor.settings.settings import Settings
from processor.state import care_row
from processor.state.status import copy_progress, replica
from processor.state.status.snapshot import Seen

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A copy of these items, of a write unit each, takes some ten seconds.
ITEMS = 2000
COPY_WRITE_UNITS = 200
_BATCH = 25


class OwnReplica:
    """What the demo has of it.

    :param source: where the task's own table is, too
    """

    def __init__(self, source: DynamoDBClient, settings: Settings) -> None:
        self._source = source
        self._settings = settings

    def options(self) -> list[str]:
        """Of the daemon's command line, beside the demo's own."""
        if self._settings.copy_write_units is not None:
            return []
        return ["--copyWriteUnits", str(COPY_WRITE_UNITS)]

    def fill(self) -> None:
        """Make the source, without a stream, and fill it."""
        table = self._settings.source_table
        create_table(self._source, table, stream=False)
        for first in range(0, ITEMS, _BATCH):
            items: list[Item] = [{"id": {"S": f"old-{number:05}"}} for number in range(first, first + _BATCH)]
            self._source.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}} for item in items]})

    def phase(self) -> str:
        """How far it is, in words."""
        table = self._settings.task_table
        try:
            seen = Seen(care=care_row.read(self._source, table), copy=copy_progress.read(self._source, table))
        except UnavailableError:  # the next look says it
            return "?"
        found = replica.progress(seen)
        return "not begun" if found is None else replica.phase(found)
