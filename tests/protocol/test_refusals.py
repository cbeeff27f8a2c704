"""Records that can't be understood, and changes that the destination will never accept."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.conftest import REGION, Tables
from tests.fakes.daemon.fake_daemon import SHARD_ID
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.fakes.streams.stream_record import Item, StreamRecord, insert, modify, remove, sequence_number, stream_record
from tests.protocol.conftest import MODES, TASK_NAME, Start, item, items

SECRET = "what-only-the-owner-may-read"
WHOLE = item("k", contents={"S": SECRET})


def _raw(data: bytes) -> StreamRecord:
    return StreamRecord(sequence_number(7), data)


BROKEN = {
    "not JSON": _raw(b'{"eventName": "INSERT", "dynamodb": {"Keys": ' + SECRET.encode()),
    "nothing": _raw(b""),
    "no keys": _raw(insert(7, WHOLE).data.replace(b'"Keys"', b'"Clues"')),
    "no sequence number": _raw(insert(7, WHOLE).data.replace(b'"SequenceNumber"', b'"Number"')),
    "keys without a type": _raw(insert(7, WHOLE).data.replace(b'"Keys":{"id":{"S":"k"}}', b'"Keys":{"id":{}}')),
    "a number that is none": stream_record("REMOVE", 7, key={"id": {"N": "one"}}, new={}, old=WHOLE),
    "no new image": stream_record("MODIFY", 7, key=item("k"), new={}, old=WHOLE),
    "unknown event": stream_record("UPSERT", 7, key=item("k"), new=WHOLE, old={}),
    "no event": stream_record("", 7, key=item("k"), new=WHOLE, old={}),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_broken_record(broken: StreamRecord, start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """A record that can't be understood has the shard given up and read again; its batch is not applied.

    Where it comes again, the shard is held there.
    """
    table = tables.create()
    for met in ("read_again", "held"):
        daemon = start(table)
        daemon.send_records(insert(1, item("before")), broken, insert(8, item("after")))
        daemon.wait_for_event(met)
        daemon.expect_silence()
        assert daemon.asks_to_be_read_again() == (met == "read_again")
        daemon.end_term()
        daemon.expect_done("processRecords")
        assert SECRET not in "\n".join(daemon.log)
    (line,) = daemon.events("held")
    assert "A batch of the stream's records" in line
    assert not proxy.received


# Refused records, whose number is 30, and their keys as JSON.
REFUSED = {
    "too large": (modify(30, item("k", contents={"S": SECRET}, large={"S": 410_000 * "x"})), '{"id":{"S":"k"}}'),
    "empty key value": (insert(30, {"id": {"S": ""}, "contents": {"S": SECRET}}), '{"id":{"S":""}}'),
    "delete, empty key value": (remove(30, {"id": {"S": ""}}), '{"id":{"S":""}}'),
}
# The destination's key, and a record of a source whose key is another one.
OTHER_KEYS = {
    "key of another type": ("id:S", modify(30, {"id": {"N": "1"}, "contents": {"S": SECRET}}), "id (N)"),
    "delete, key of another type": ("id:S", remove(30, {"id": {"B": "AA=="}}), "id (B)"),
    "key of another name": ("no:S", insert(30, item("k", contents={"S": SECRET})), "id (S)"),
    "key of more parts": ("id:S", remove(30, item("k", at={"N": "1"})), "at (N), id (S)"),
    "key of fewer parts": ("id:S at:N", insert(30, item("k")), "id (S)"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", REFUSED)
def test_stop(name: str, mode: str, start: Start, tables: Tables) -> None:
    """onError=stop: one message with table, key, sequence number and reason, but no item contents; 22."""
    refused, shown = REFUSED[name]
    table = tables.create()
    daemon = start(table, writeMode=mode, onError="stop")
    good = [insert(number, each) for number, each in enumerate(items(60))]
    daemon.send_records(*good[:30], refused, *good[30:])
    daemon.expect_exit(22)
    assert daemon.exit_status() == "22"
    (line,) = daemon.log[1:]  # the first says that it started
    assert [line] == daemon.events("stopped")
    reason = json.loads(line.partition("reason=")[2])
    for word in (table, REGION, shown, refused.sequence_number, "ValidationException: ", "deadLetterUri"):
        assert word in reason
    assert SECRET not in line


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", REFUSED)
def test_hold(name: str, mode: str, start: Start, tables: Tables) -> None:
    """By default the child waits there: the rest is written, nothing is checkpointed, one message has all there is."""
    refused, shown = REFUSED[name]
    table = tables.create()
    daemon = start(table, writeMode=mode)
    good = items(60)
    records = [insert(number, each) for number, each in enumerate(good)]
    daemon.send_records(*records[:30], refused, *records[30:])
    daemon.wait_for_event("held")
    until(lambda: len(tables.items(table)) >= 30, "those before it")
    daemon.expect_silence()
    (line,) = daemon.events("held")
    assert " ERROR " in line
    reason = json.loads(line.partition("reason=")[2])
    for word in (table, REGION, shown, refused.sequence_number, "ValidationException: ", "deadLetterUri"):
        assert word in reason
    assert SECRET not in line
    daemon.end_term()
    daemon.expect_done("processRecords")
    daemon.wait_for_event("lease_lost")


@pytest.mark.parametrize("mode", MODES)
def test_dead_letters(mode: str, start: Start, tables: Tables, tmp_path: Path) -> None:
    """onError=deadLetter: refused changes are kept whole in a file of the owner's; the others are applied."""
    table = tables.create()
    file = tmp_path / "letters here" / "dead.jsonl"
    daemon = start(table, writeMode=mode, onError="deadLetter", deadLetterUri=file.as_uri())
    refused: Item = {"id": {"S": "k"}, "contents": {"S": f"{SECRET} \U0001f600\n\u00e9"}, "small": {"N": "1E-130"}}
    refused["large"] = {"S": 410_000 * "x"}
    good = items(60)
    records = [insert(number, each) for number, each in enumerate(good)]
    daemon.apply(*records[:20], modify(30, refused), *records[20:40], remove(31, {"id": {"S": ""}}), *records[40:])
    assert good == tables.items(table)
    letters = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    letters.sort(key=lambda letter: letter["sequenceNumber"])
    common = {
        "taskName": TASK_NAME,
        "table": table,
        "region": REGION,
        "shardId": SHARD_ID,
        "error": "ValidationException",
    }
    for letter in letters:
        assert table in letter.pop("reason")
        assert letter.pop("time").endswith("+00:00")
    put = {"sequenceNumber": sequence_number(30), "eventName": "MODIFY", "key": item("k")}
    delete = {"sequenceNumber": sequence_number(31), "eventName": "REMOVE", "key": item("")}
    assert [{**common, **put, "newImage": refused}, {**common, **delete, "newImage": None}] == letters
    owner_only = 0o600
    assert owner_only == stat.S_IMODE(file.stat().st_mode)
    first, second = daemon.events("set_aside")
    assert " ERROR " in first
    assert "then ./run.sh redrive FILE brings the key up to date." in first
    assert " ERROR " in second
    assert SECRET not in "\n".join(daemon.log)
    daemon.apply(remove(100, item("00")))
    assert good[1:] == tables.items(table)


@pytest.mark.parametrize("on_error", ["hold", "deadLetter", "stop"])
@pytest.mark.parametrize("name", OTHER_KEYS)
def test_another_key(name: str, on_error: str, start: Start, tables: Tables, tmp_path: Path) -> None:
    """A destination whose key is another one holds the shard, unless it is to stop, and nothing is set aside."""
    key, refused, shown = OTHER_KEYS[name]
    table = tables.create(*key.split())
    file = tmp_path / "dead.jsonl"
    daemon = start(table, onError=on_error, deadLetterUri=file.as_uri())
    daemon.send_records(refused)
    event = "held"
    if on_error == "stop":
        daemon.expect_exit(22)
        event = "stopped"
    daemon.wait_for_event(event)
    (line,) = daemon.events(event)
    reason = json.loads(line.partition("reason=")[2])
    for word in (table, REGION, f"the source's is {shown}", refused.sequence_number, "ValidationException: "):
        assert word in reason
    assert SECRET not in line
    assert not file.exists()


def test_dead_letters_without_a_file(start: Start, tables: Tables, tmp_path: Path) -> None:
    """A change that can't be set aside is kept: the shard is held, and the message names the file."""
    (tmp_path / "folder").mkdir()
    daemon = start(tables.create(), onError="deadLetter", deadLetterUri=(tmp_path / "folder").as_uri())
    daemon.send_records(insert(1, {"id": {"S": ""}}))
    daemon.wait_for_event("held")
    daemon.expect_silence()
    (held,) = daemon.events("held")
    assert str(tmp_path / "folder") in held
    assert sequence_number(1) in held
