"""The two tables that are compared, as one process has them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from processor.commands.verify.digests import ROLES, Role
from processor.commands.verify.table_side import TableSide
from processor.commands.verify.task import VerifyTask
from processor.commands.verify.unviewable import without_failing
from processor.flow.rate_limiter import Capacity
from processor.flow.retry import Retry
from processor.replication import tables
from processor.reporting.logs import Log

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

    def share(self, processes: int) -> None:
        """Keep to an even share of what may be read: others keep to theirs."""
        for side in self._sides.values():
            side.share(processes)

    def other(self, role: Role) -> TableSide:
        """The one with which a table is compared."""
        return self._sides["destination" if role == "source" else "source"]


def sides_of(
    task: VerifyTask,
    clients: Clients,
    view: ItemView | None,
    *,
    retry: Callable[[], Retry],
    stop: threading.Event,
) -> Sides:
    """Both tables, as they are compared.

    :param clients: the process's own
    :param view: the task's view of the source's items
    :param retry: makes the retries of one table, for a success of one says nothing about the other
    :param stop: ends all waiting for capacity
    """
    capacities = {role: _capacity(task.pace.of(role), stop) for role in ROLES}
    settings = task.settings
    seen = None if view is None else without_failing(view, task.form.key_names)
    source = TableSide(
        "source",
        task.source,
        scannable=tables.scannable_source(
            settings, clients, view=seen, scan_filter=view.scan_filter if view is not None else None
        ),
        readable=tables.source(settings, clients, view=seen, consumed=_consumed(capacities["source"])),
        retry=retry(),
        capacity=capacities["source"],
    )
    destination = TableSide(
        "destination",
        task.destination,
        scannable=tables.scannable_destination(settings, clients),
        readable=tables.readable_as_stored(settings, clients, consumed=_consumed(capacities["destination"])),
        retry=retry(),
        capacity=capacities["destination"],
    )
    return Sides(source, destination)


def _capacity(limit: float | None, stop: threading.Event) -> Capacity | None:
    return None if limit is None else Capacity(limit, stop=stop, estimated=_say_estimated)


def _consumed(capacity: Capacity | None) -> Callable[[float], None] | None:
    return None if capacity is None else capacity.consume


def _say_estimated() -> None:
    Log().warning(
        "capacity_estimated",
        setting="verifyReadUnits",
        note="The answers do not say what was consumed, so the limit is held by the items' sizes. Leave some room "
        "below what the tables have.",
    )
