"""The two tables that are compared, as one process has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from processor.commands.verify.digests import Role
from processor.commands.verify.table_side import TableSide
from processor.commands.verify.task import VerifyTask
from processor.commands.verify.unviewable import without_failing
from processor.flow.retry import Retry
from processor.replication import tables

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.view.item_view import ItemView


class Sides:
    """Both tables."""

    def __init__(self, source: TableSide, destination: TableSide) -> None:
        self._sides: dict[Role, TableSide] = {"source": source, "destination": destination}

    def __getitem__(self, role: Role) -> TableSide:
        return self._sides[role]

    def __len__(self) -> int:
        return len(self._sides)

    def other(self, role: Role) -> TableSide:
        """The one with which a table is compared."""
        return self._sides["destination" if role == "source" else "source"]


def sides_of(task: VerifyTask, clients: Clients, view: ItemView | None, *, retry: Callable[[], Retry]) -> Sides:
    """Both tables, as they are compared.

    :param clients: the process's own
    :param view: the task's view of the source's items
    :param retry: makes the retries of one table, for a success of one says nothing about the other
    """
    settings = task.settings
    seen = None if view is None else without_failing(view, task.form.key_names)
    source = TableSide(
        "source",
        task.source,
        scannable=tables.scannable_source(
            settings, clients, view=seen, scan_filter=view.scan_filter if view is not None else None
        ),
        readable=tables.source(settings, clients, view=seen),
        retry=retry(),
    )
    destination = TableSide(
        "destination",
        task.destination,
        scannable=tables.scannable_destination(settings, clients),
        readable=tables.readable_as_stored(settings, clients),
        retry=retry(),
    )
    return Sides(source, destination)
