"""Rows of the task table, held to the schema that the daemon's classes are held to by ``TaskTableSchemaTest.java``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import jsonschema
import msgspec
import pytest
from moto import mock_aws

from processor.startup import java
from processor.state import (
    care_row,
    checkpoint_outage,
    copy_members,
    copy_rows,
    holds,
    pass_rows,
    task_row,
    verification_row,
)
from processor.state.copy_rows import SegmentState
from processor.state.holds import Hold
from processor.state.pass_rows import PartRow, PassState
from processor.state.verification_row import VerificationState
from tests.unit.state.test_task_row import TABLE, TASK

SCHEMA: dict[str, Any] = msgspec.json.decode((java.ROOT / "tests" / "task_table.schema.json").read_bytes())
KINDS: Mapping[str, Any] = SCHEMA["$defs"]
EXAMPLES: Mapping[str, Any] = {kind: rows["examples"][0] for kind, rows in KINDS.items() if "examples" in rows}
# An attribute's value, of each of DynamoDB's types that the schema has.
PLAIN: Mapping[str, Callable[[Any], Any]] = {"S": str, "N": int, "BOOL": bool, "M": dict}


@pytest.fixture
def client() -> Iterator[Any]:
    """DynamoDB with an empty task table."""
    with mock_aws():
        made = boto3.client("dynamodb", region_name="eu-west-1")
        task_row.write(made, TABLE, TASK, before=None)
        made.delete_item(TableName=TABLE, Key={"name": {"S": "task"}})
        yield made


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's values without their types, and without its key."""
    return {
        name: _plain(value) if kind == "M" else PLAIN[kind](value)
        for name, typed in row.items()
        for kind, value in typed.items()
        if name != "name"
    }


def _insist(kind: str, row: Any) -> None:
    jsonschema.Draft202012Validator(SCHEMA | {"$ref": f"#/$defs/{kind}"}).validate(row)


def test_the_schema_is_one() -> None:
    """And its examples are valid."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for kind, row in EXAMPLES.items():
        _insist(kind, row)


def _store_copy(client: Any, **changes: Any) -> copy_rows.CopyState:
    copy = msgspec.structs.replace(msgspec.convert(_plain(EXAMPLES["copy"]), copy_rows.CopyState), **changes)
    copy_rows.write(client, TABLE, copy, before=None)
    return copy


def _store_segment(client: Any) -> None:
    copy = _store_copy(client)
    copy_rows.take(client, TABLE, copy, 2, seen="")
    key = msgspec.Raw(b'{"id":{"S":"a"}}')
    copy_rows.save(
        client, TABLE, copy, SegmentState(number=2, start=key, done=True, items=1, filtered=2, in_hand=[key])
    )


def _store_pass(client: Any) -> PassState:
    under_way = msgspec.convert(_plain(EXAMPLES["verifyPass"]), PassState)
    pass_rows.write(client, TABLE, under_way, before=None)
    terms = {"--repair": "False"}
    pass_rows.write(client, TABLE, msgspec.structs.replace(under_way, terms=terms), before=under_way)
    return pass_rows.ROWS.join(client, TABLE, under_way, member="m", host="here")


def _store_part(client: Any) -> None:
    under_way = _store_pass(client)
    pass_rows.take(client, TABLE, under_way, 2, seen="")
    _insist("verifyPart", client.get_item(TableName=TABLE, Key=pass_rows.ROWS.part_key(2))["Item"])
    pass_rows.save(
        client, TABLE, under_way, PartRow(number=2, holder="", pass_id=under_way.id, items=1, found=b"report")
    )


def _store_care(client: Any) -> None:
    care_row.begin(client, TABLE, "created", before=None, now_ms=1, copy_after_ms=1)
    care_row.take(client, TABLE, holder="h", host="machine/1", seen=care_row.read(client, TABLE), now_ms=1)
    trouble = care_row.Trouble(kind="refused", reason="the table is gone", at_ms=1, command="copy")
    care_row.note(client, TABLE, holder="h", parts={"trouble": trouble, "notified": {"a": 1.5}})


def _store_verification(client: Any) -> None:
    """Begun, failed, begun anew after it was whole: all that there may be at once."""
    state = msgspec.convert(_plain(EXAMPLES["verification"]), VerificationState)
    assert state.running is not None
    assert state.last is not None
    assert state.failure is not None
    verification_row.note(client, TABLE, state.last)
    verification_row.begin(client, TABLE, state.running, seen=None)
    verification_row.fail(client, TABLE, state.failure)


WRITERS: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "task": ("task", lambda client: task_row.write(client, TABLE, TASK, before=None)),
    "copy": ("copy", _store_copy),
    "copy that is running": ("copy", lambda client: _store_copy(client, finished_ms=None)),
    "copy that several work on": (
        "copy",
        lambda client: copy_members.join(
            client, TABLE, _store_copy(client, members={}, state="running"), member="m", host="here"
        ),
    ),
    "caretaker": ("caretaker", _store_care),
    "segment": ("copy#000002", _store_segment),
    "verifyPass": ("verifyPass", _store_pass),
    "verifyPart": ("verifyPass#000002", _store_part),
    "verification": ("verification", _store_verification),
    "hold": (
        "hold#s",
        lambda client: holds.put(client, TABLE, Hold(kind="hold", shard_id="s", since_ms=1, seen_ms=2)),
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_what_is_written_is_as_the_schema_has_it(kind: str, client: Any) -> None:
    """No attribute more, none less, each of its type."""
    name, write = WRITERS[kind]
    write(client)
    row = client.get_item(TableName=TABLE, Key={"name": {"S": name}})["Item"]
    _insist(kind.partition(" ")[0], row)


def _segment(client: Any) -> dict[str, Any]:
    (found,) = copy_rows.read_segments(client, TABLE, msgspec.convert(_plain(EXAMPLES["copy"]), copy_rows.CopyState))
    assert found.start is not None
    read = msgspec.to_builtins(msgspec.structs.replace(found, start=None, in_hand=[]))
    counted = {name: read[name] for name in ("done", "items", "sizeBytes", "expired", "filtered")}
    return counted | {"start": bytes(found.start).decode()}


def _hold(client: Any) -> dict[str, Any]:
    (found,) = holds.read(client, TABLE)
    read = msgspec.to_builtins(found)
    return {name: value for name, value in read.items() if name not in {"kind", "shardId"}}


def _copy(client: Any) -> dict[str, Any]:
    read: dict[str, Any] = msgspec.to_builtins(copy_rows.read(client, TABLE))
    assert read.pop("members") is None  # the example is of an older release
    return read


def _part(client: Any) -> dict[str, Any]:
    (found,) = pass_rows.read_parts(client, TABLE)
    assert (found.number, found.found) == (2, None)
    return {"holder": found.holder, "passId": found.pass_id, "scanned": found.items}


def _care(client: Any) -> dict[str, Any]:
    read: dict[str, Any] = msgspec.to_builtins(care_row.read(client, TABLE))
    assert read.pop("notified") == {}  # of a task that tells nobody
    return read


READERS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "task": lambda client: msgspec.to_builtins(task_row.read(client, TABLE)),
    "copy": _copy,
    "caretaker": _care,
    "segment": _segment,
    "verifyPass": lambda client: msgspec.to_builtins(pass_rows.read(client, TABLE)),
    "verifyPart": _part,
    "verification": lambda client: msgspec.to_builtins(verification_row.read(client, TABLE)),
    "hold": _hold,
    "loss": _hold,
    "checkpoints": lambda client: msgspec.to_builtins(checkpoint_outage.read(client, TABLE, now=1_700_000_060)),
}
# What only guards a row, and is no part of what is read; ``seenMs`` says whether the outage is one still.
GUARDS = {"segment": {"copyId", "holder"}, "checkpoints": {"seenMs"}}


@pytest.mark.parametrize("kind", READERS)
def test_each_attribute_is_read(kind: str, client: Any) -> None:
    """By the schema's name, whoever wrote it."""
    client.put_item(TableName=TABLE, Item=EXAMPLES[kind])
    expected = _plain(EXAMPLES[kind])
    assert READERS[kind](client) == {name: expected[name] for name in expected.keys() - GUARDS.get(kind, set())}


def test_every_kind_of_row_has_its_reader_or_is_the_daemons() -> None:
    """A row that is new in the schema is tested, too."""
    assert EXAMPLES.keys() - READERS.keys() == {"lifted"}
