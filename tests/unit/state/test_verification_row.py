"""What is kept of a task's verifications, and who may write it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from processor.errors import NotFoundError, PassTakenError, UnavailableError
from processor.state import row_values, task_row, verification_row
from processor.state.verification_row import Failure, Pass, Verified
from tests.unit.state.test_task_row import TABLE, TASK

PASS = Pass(holder="one", host="here/1", started_ms=1_000, saved_ms=1_000, scope="a/b", parts=16)
OTHER = msgspec.structs.replace(PASS, holder="two", host="there/2")
# Each of its bits would be set.
NEGATIVE = row_values.typed(msgspec.to_builtins(msgspec.structs.replace(PASS, settled="-1")))
FOUND = Verified(through_ms=1_000, ended_ms=9_000, equal=5, missing=1, extra=2, different=3, changing=4, repaired=2)


@pytest.fixture
def client() -> Iterator[Any]:
    """DynamoDB with a task's table."""
    with mock_aws():
        made = boto3.client("dynamodb", region_name="eu-west-1")
        task_row.write(made, TABLE, TASK, before=None)
        yield made


def _read(client: Any) -> verification_row.VerificationState:
    found = verification_row.read(client, TABLE)
    assert found is not None
    return found


def test_a_pass_from_its_begin_to_its_end(client: Any) -> None:
    """It is in progress, then what it has found is kept; the keys that it left different are told."""
    assert verification_row.read(client, TABLE) is None
    verification_row.begin(client, TABLE, PASS, seen=None)
    settled = msgspec.structs.replace(PASS, settled=verification_row.packed({0, 5, 15}), source_items=7)
    verification_row.save(client, TABLE, settled)
    found = _read(client)
    assert (found.since_ms, found.running, found.last) == (1_000, settled, None)
    assert settled.numbers == {0, 5, 15}
    verification_row.finish(client, TABLE, settled, FOUND)
    found = _read(client)
    assert (found.running, found.last, FOUND.differing) == (None, FOUND, 4)
    verification_row.finish(client, TABLE, settled, FOUND)  # the answer to the first attempt may have been lost


def test_of_two_runs_one_goes_on(client: Any) -> None:
    """Whoever takes a pass over stops the other's writes, and of two who do so at once only one succeeds."""
    verification_row.begin(client, TABLE, PASS, seen=None)
    verification_row.begin(client, TABLE, PASS, seen=None)  # the answer to the first attempt may have been lost
    verification_row.begin(client, TABLE, OTHER, seen=PASS)
    for write in (
        lambda: verification_row.save(client, TABLE, PASS),
        lambda: verification_row.finish(client, TABLE, PASS, FOUND),
        lambda: verification_row.begin(client, TABLE, msgspec.structs.replace(PASS, holder="three"), seen=PASS),
        lambda: verification_row.begin(client, TABLE, msgspec.structs.replace(PASS, holder="three"), seen=None),
    ):
        with pytest.raises(PassTakenError, match="another process has taken over"):
            write()
    assert _read(client).running == OTHER


def test_what_began_later_is_newer(client: Any) -> None:
    """A comparison by hand during a pass, which began later, stays the last one when the pass ends."""
    verification_row.begin(client, TABLE, PASS, seen=None)
    by_hand = msgspec.structs.replace(FOUND, through_ms=2_000)
    verification_row.note(client, TABLE, by_hand)
    assert _read(client).running == PASS
    verification_row.finish(client, TABLE, PASS, FOUND)
    assert (_read(client).last, _read(client).running) == (by_hand, None)
    verification_row.note(client, TABLE, FOUND)
    assert _read(client).last == by_hand


def test_a_clock_that_was_ahead_keeps_nothing_out(client: Any) -> None:
    """What is said to have begun after what is now over gives way, by hand and at a pass's end."""
    ahead = msgspec.structs.replace(FOUND, through_ms=FOUND.ended_ms + 1, ended_ms=FOUND.ended_ms + 2)
    verification_row.note(client, TABLE, ahead)
    verification_row.note(client, TABLE, FOUND)
    assert _read(client).last == FOUND
    verification_row.note(client, TABLE, ahead)
    verification_row.begin(client, TABLE, PASS, seen=None)
    verification_row.finish(client, TABLE, PASS, FOUND)
    assert (_read(client).last, _read(client).running) == (FOUND, None)


def test_a_failure_stays_until_a_run_goes_on(client: Any) -> None:
    """Also that of a run that could not begin."""
    failure = Failure(at_ms=5, reason="denied")
    verification_row.fail(client, TABLE, failure)
    assert (_read(client).failure, _read(client).since_ms) == (failure, 5)
    verification_row.begin(client, TABLE, PASS, seen=None)
    assert _read(client).failure == failure
    verification_row.save(client, TABLE, PASS)
    assert _read(client).failure is None


def test_without_a_table_nothing_is_noted(client: Any) -> None:
    """A task that was never started has none; a pass says so."""
    assert verification_row.read(client, "other") is None
    verification_row.note(client, "other", FOUND)
    with pytest.raises(NotFoundError):
        verification_row.begin(client, "other", PASS, seen=None)


@pytest.mark.parametrize(
    "bad", [{"running": {"S": "x"}}, {"running": NEGATIVE}, {"last": {"M": {"equal": {"S": "many"}}}}]
)
def test_a_row_of_strangers(client: Any, bad: dict[str, Any]) -> None:
    """It is said which one."""
    client.put_item(TableName=TABLE, Item=verification_row.ROW.key | bad)
    with pytest.raises(UnavailableError, match="a row 'verification' that is not ours"):
        verification_row.read(client, TABLE)
