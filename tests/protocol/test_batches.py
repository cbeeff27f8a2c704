"""What a batch does to the destination, and when KCL hears of it."""

from __future__ import annotations

import pytest

from tests.conftest import Tables
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.streams.stream_record import Item, insert, modify, remove, sequence_number
from tests.protocol.conftest import MODES, Start, item, items


@pytest.mark.parametrize("mode", MODES)
def test_applied_then_checkpointed_then_answered(mode: str, start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """A batch is applied, then checkpointed at its last record, and only then answered; one after the other."""
    table = tables.create()
    daemon = start(table, writeMode=mode)
    held = proxy.inject(faults.hold(), times=1)
    first, second = items(60), items(90)[60:]
    records = [insert(number, each) for number, each in enumerate(first)]
    daemon.send_records(*records)
    held.wait()
    daemon.expect_silence()
    held.clear()
    daemon.expect_checkpoint(records[-1].sequence_number)
    assert first == tables.items(table)
    daemon.expect_silence()
    daemon.answer_checkpoint()
    daemon.expect_done("processRecords")
    daemon.apply(*(insert(number, each) for number, each in enumerate(second, start=60)))
    assert first + second == tables.items(table)


@pytest.mark.parametrize("mode", MODES)
def test_event_names_decide(mode: str, start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """INSERT and MODIFY put the whole new image, REMOVE (TTL's too) deletes the key, and nothing else is written."""
    table = tables.create()
    for name in ("replaced", "removed", "expired", "other"):
        tables.put(table, item(name, old={"S": "old contents"}))
    daemon = start(table, writeMode=mode)
    daemon.apply(
        insert(1, item("new", n={"N": "1"})),
        modify(2, item("replaced", n={"N": "2"})),
        remove(3, item("removed")),
        remove(4, item("expired"), userIdentity={"type": "Service", "principalId": "dynamodb.amazonaws.com"}),
        remove(5, item("never was here")),
    )
    expected = [item("new", n={"N": "1"}), item("other", old={"S": "old contents"}), item("replaced", n={"N": "2"})]
    assert expected == tables.items(table)
    touched = ["expired", "never was here", "new", "removed", "replaced"]
    assert touched == sorted(write.key["id"]["S"] for write in proxy.writes)


def test_empty_batch(start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """A batch without records is answered, without a checkpoint."""
    daemon = start(tables.create())
    daemon.send_records()
    daemon.expect_done("processRecords")
    daemon.close_stdin()
    daemon.expect_exit(0)
    assert not proxy.received


def _history(keys: int, rounds: int) -> list[Item]:
    return [item(f"k{key:02}", n={"N": str(turn)}) for turn in range(rounds) for key in range(keys)]


@pytest.mark.parametrize("mode", MODES)
def test_every_change_in_order(mode: str, start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """coalesce=false writes every change, and those of one key in the stream's order."""
    daemon = start(tables.create(), writeMode=mode, coalesce="false")
    records = [modify(number, each) for number, each in enumerate(_history(keys=40, rounds=4))]
    held = proxy.inject(faults.hold(), times=1)
    daemon.send_records(*records, remove(200, item("k00")), insert(201, item("k00", n={"N": "9"})))
    calls_of_one_round = 40 if mode == "item" else 2
    proxy.wait_until(lambda: proxy.received.total() >= calls_of_one_round)
    daemon.expect_silence()
    assert calls_of_one_round == proxy.received.total()  # nothing overtakes the one that is late
    held.clear()
    daemon.expect_checkpoint(sequence_number(201))
    written: dict[str, list[str]] = {}
    for write in proxy.writes:
        written.setdefault(write.key["id"]["S"], []).append(write.item["n"]["N"] if write.item else "deleted")
    expected = {f"k{key:02}": ["0", "1", "2", "3"] for key in range(40)}
    expected["k00"] += ["deleted", "9"]
    assert expected == written


@pytest.mark.parametrize("mode", MODES)
def test_only_the_last_change_of_a_key(mode: str, start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """coalesce=true writes only the last change that a batch has of each key."""
    table = tables.create()
    daemon = start(table, writeMode=mode, coalesce="true")
    history = _history(keys=40, rounds=4)
    daemon.apply(
        remove(1, item("k00")),
        *(modify(number, each) for number, each in enumerate(history, start=2)),
        remove(200, item("k01")),
    )
    expected = [each for each in history[-40:] if each["id"] != {"S": "k01"}]
    assert expected == tables.items(table)
    assert sorted(f"k{key:02}" for key in range(40)) == sorted(write.key["id"]["S"] for write in proxy.writes)
