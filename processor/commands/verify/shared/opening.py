"""Begins a shared verification, or joins the one that is under way.

::

    no row, or nobody is at it ──▶ a new pass, in its place      the same terms ──▶ joined
    somebody is at it ───────────────────────────────────────▶ other terms    ──▶ refused

A pass is over when its last process leaves it. So nobody ever joins one that has ended, or was given up.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from processor.commands.verify import terms
from processor.commands.verify.shared.pass_member import PassMember
from processor.errors import NotFoundError, NotReadyError, UnavailableError, VerifyTakenError
from processor.flow.retry import Retry
from processor.state import pass_rows, task_row
from processor.state.pass_rows import PassState
from processor.state.sharing import watch
from processor.system import process_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Machines that begin at once may be faster, one after the other.
_TRIES = 5


def join(
    connect: Callable[[], DynamoDBClient],
    table: str,
    new: PassState,
    *,
    stop: threading.Event,
    retry: Retry,
    failed: Callable[[UnavailableError], None],
    say: Callable[[str], None],
) -> PassMember:
    """Begin or join it; returns this process as a member.

    :param new: the pass that would be begun
    :param say: called with lines to show meanwhile
    :raises NotReadyError: one is under way in another way
    :raises VerifyTakenError: others were faster, again and again
    :raises ReplicatorError: the task table can't be used
    """
    for _ in range(_TRIES):
        under_way = retry(lambda: _under_way(connect(), table, new, say))
        member = PassMember(connect, table, under_way, stop=stop, failed=failed, waits=True)
        try:
            retry(member.join)
        except VerifyTakenError:
            continue  # it has ended meanwhile, or another one was begun in its place
        if under_way.id == new.id:
            retry(lambda: _sweep_others(connect(), table, new))
        return member
    raise VerifyTakenError(table)


def _under_way(client: DynamoDBClient, table: str, new: PassState, say: Callable[[str], None]) -> PassState:
    """The pass to join: that of others, or the new one, which nobody is at yet."""
    found = watch.look(lambda: pass_rows.read(client, table), say, what="the shared verification")
    if found.worker and found.work is not None:
        _insist_same(new.terms, found.work.terms, found.worker)
        say(f"Joining this task's shared verification, which {process_name.name_of(found.worker)} is at, too")
        return found.work
    opened = msgspec.structs.replace(new, holder=uuid.uuid4().hex, host=process_name.here(), members={})
    try:
        _write(client, table, opened, before=found.work)
    except VerifyTakenError:
        theirs = pass_rows.read(client, table)
        if theirs is None:
            raise
        if theirs.id == new.id:
            return theirs  # only the answer was lost
        _insist_same(new.terms, theirs.terms, theirs.host)
        say(f"Joining this task's shared verification, which {process_name.name_of(theirs.host)} has just begun")
        return theirs
    return opened


def _write(client: DynamoDBClient, table: str, opened: PassState, *, before: PassState | None) -> None:
    try:
        pass_rows.write(client, table, opened, before=before)
    except NotFoundError:  # the task was never started
        task_row.make_table(client, table)
        pass_rows.write(client, table, opened, before=None)


def _sweep_others(client: DynamoDBClient, table: str, ours: PassState) -> None:
    """Delete what earlier passes have left: nobody is at them."""
    left = [row for row in pass_rows.read_parts(client, table) if row.pass_id != ours.id]
    if left:
        pass_rows.sweep(client, table, left)


def _insist_same(ours: Mapping[str, str], theirs: Mapping[str, str], worker: str) -> None:
    if others := terms.others_than(ours, theirs):
        message = (
            f"A shared verification of this task is under way, begun by {process_name.name_of(worker)}, and it is made "
            f"in another way: not the same are {'; '.join(others)}. Nothing was compared here. Give the same options "
            "and settings on each machine, or let that one end first."
        )
        raise NotReadyError(message)
