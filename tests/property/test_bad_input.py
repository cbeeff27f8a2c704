"""Bad input of every kind: it is refused with a message, and nothing is lost over it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import javaproperties
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processor.errors import MalformedRecordError, UsageError
from processor.replication.apply import Outcome
from processor.replication.change import Change
from processor.replication.record_processor import RecordProcessor, Shard
from processor.reporting.logs import Log
from processor.settings import kcl_properties
from processor.settings.definitions import BY_NAME, DEFINITIONS
from processor.settings.settings import Settings
from processor.startup import daemon
from processor.state import task_row
from tests.fakes.daemon import kcl
from tests.fakes.daemon.kcl import Checkpointer
from tests.fakes.dynamodb.changes import decode
from tests.fakes.policies import AT_ONCE
from tests.fakes.streams.stream_record import modify, sequence_number
from tests.fakes.task import tasks

# The same examples in every run.
fuzz = settings(derandomize=True, max_examples=150)
few = settings(derandomize=True, max_examples=60)

NAMES = st.sampled_from([*BY_NAME, *kcl_properties.KINDS, "kinesisClient.region", "sourceTabel", "", "--", "a b"])
ODD = ["", " ", "0", "-1", "1e9", "9" * 5000, "٣", "true", "TRUE", "[a]", "{", "%", "%s", "$HOME", "'", '"', "\\", "\0"]
ODD += ["http://", "http://[", "http://h:99999", "https://u:p@h", "s3://", "file://", "file:///", "file:///a\0b", "50%"]
ODD += [
    "\ud800",
    "\ud83d\ude00",
    "é",
    "\n",
    "-Xmx1g",
    "--help",
    "a" * 300,
    "arn:aws:iam::1:role/x",
    "deadLetter",
    "s3://b/c",
]
VALUES = st.one_of(st.sampled_from(ODD), st.text(max_size=12))
FILES = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=6).map(javaproperties.dumps),
    st.dictionaries(NAMES, VALUES, max_size=3).map(lambda given: javaproperties.dumps(tasks.REQUIRED | given)),
    st.text(max_size=60),
)


def _used(made: Settings) -> None:
    """What the daemon and its children are handed."""
    assert made == msgspec.json.decode(msgspec.json.encode(made), type=Settings)
    written = daemon.properties(made, task=task_row.of(made, "arn"), worker_id="me", leases=[], read_at_ms=1)
    javaproperties.dumps(written).encode("latin-1")
    paths = made.log_directory, made.log_configuration or "", made.java_options, made.dead_letter_path or ""
    assert "\0" not in "".join(paths)


def _refusal(load: Callable[[], Settings]) -> str | None:
    try:
        _used(load())
    except UsageError as exc:
        return str(exc)
    return None


@given(text=FILES)
@example(javaproperties.dumps(tasks.REQUIRED | {"logDirectory": "a\0b"}))
@example(javaproperties.dumps(tasks.REQUIRED | {"logDirectory": "\ud800"}))
@example(javaproperties.dumps(tasks.REQUIRED | {"deadLetterUri": "file:///a%00b"}))
@example(javaproperties.dumps(tasks.REQUIRED | {"kinesisClient.region": "\ud800"}))
@fuzz
def test_any_properties_file_is_settings_or_an_error(text: str) -> None:
    """Whatever a properties file holds, it is settings that can be used, or an error that says what is wrong."""
    assert _refusal(lambda: tasks.load(text)) != ""


@given(
    values=st.dictionaries(st.sampled_from(DEFINITIONS), VALUES, max_size=4),
    place=st.sampled_from(["environment", "arguments"]),
    more=st.lists(VALUES, max_size=2),
)
@fuzz
def test_any_environment_and_arguments_are_settings_or_an_error(
    values: Mapping[Any, str], place: str, more: list[str]
) -> None:
    """So is what stands in the environment, or on the command line."""
    text = javaproperties.dumps(tasks.REQUIRED)
    if place == "environment":
        environment = {each.environment: value for each, value in values.items()}
        assert _refusal(lambda: tasks.load(text, environment=environment)) != ""
    else:
        arguments = [*(f"--{each.name}={value}" for each, value in values.items()), *more]
        arguments = [each for each in arguments if each != "--help"]
        assert _refusal(lambda: tasks.load(text, arguments=arguments)) != ""


GOOD = modify(3, {"id": {"S": "a"}, "n": {"N": "1.50"}, "secret": {"S": "hush-hush"}}).data
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(ODD[:-8]), st.just("hush-hush")),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("SNBM"), inner, max_size=2)),
    max_leaves=4,
)
_PLACES = (
    ["eventName"],
    ["dynamodb"],
    ["dynamodb", "Keys"],
    ["dynamodb", "Keys", "id"],
    ["dynamodb", "Keys", "id", "S"],
    ["dynamodb", "NewImage"],
    ["dynamodb", "SequenceNumber"],
    ["dynamodb", "ApproximateCreationDateTime"],
)


@st.composite
def broken_records(draw: st.DrawFn) -> bytes:
    """A good record that was cut, had bytes changed, or has something else in one place."""
    how = draw(st.sampled_from(["cut", "bytes", "replaced", "removed", "anything"]))
    if how == "anything":
        return draw(st.binary(max_size=40))
    if how == "cut":
        return GOOD[: draw(st.integers(0, len(GOOD) - 1))]
    if how == "bytes":
        at = draw(st.integers(0, len(GOOD) - 1))
        return GOOD[:at] + draw(st.binary(min_size=1, max_size=3)) + GOOD[at + 1 :]
    record = json.loads(GOOD)
    *way, name = draw(st.sampled_from(_PLACES))
    inner = record
    for each in way:
        inner = inner[each]
    if how == "removed":
        del inner[name]
    else:
        inner[name] = draw(JUNK)
    return json.dumps(record).encode()


def _decoded(data: bytes) -> Change | str:
    """The change, or what is said of it."""
    try:
        return decode(data)
    except MalformedRecordError as exc:
        return str(exc)


@given(data=broken_records())
@example(GOOD.replace(b"100000000000000000003", b"TRIM_HORIZON"))
@example(GOOD.replace(b'"NewImage": {', b'"NewImage": 5, "x": {'))
@example(b'{"dynamodb":' * 5000)
@fuzz
def test_any_record_is_a_change_or_malformed(data: bytes) -> None:
    """Whatever bytes a record is, it is a change that can be written, or MalformedRecordError, without its contents."""
    change = _decoded(data)
    if isinstance(change, str):
        assert change
        assert "hush-hush" not in change
    else:
        assert change.sequence_number.isdecimal()
        assert change.key_types
        assert isinstance(msgspec.json.decode(change.key), dict)
        assert change.image is None or isinstance(msgspec.json.decode(change.image), dict)


class _Applied:
    """Notes what it is given."""

    def __init__(self) -> None:
        self.numbers: list[str] = []

    def apply(self, changes: list[Change]) -> Outcome:
        """Like ``Applier.apply``."""
        self.numbers += [change.sequence_number for change in changes]
        return Outcome(records=len(changes))


@given(
    data=broken_records().filter(lambda data: isinstance(_decoded(data), str)),
    before=st.integers(0, 2),
    after=st.integers(0, 2),
)
@few
def test_no_checkpoint_passes_a_malformed_record(data: bytes, before: int, after: int) -> None:
    """A batch with a record that can't be understood ends the process; neither it nor a part of it is checkpointed."""
    good = [modify(number, {"id": {"S": str(number)}}).data for number in range(5)]
    applier, checkpointer = _Applied(), Checkpointer()
    processor = RecordProcessor(
        lambda _: Shard(applier=applier, log=Log()), gone=threading.Event(), log=Log(), policy=AT_ONCE
    )
    processor.initialize(kcl.initialize())
    kcl.process_records(good[:2]).dispatch(checkpointer, processor)
    with pytest.raises(SystemExit) as end:
        kcl.process_records([*good[2 : 2 + before], data, *good[:after]]).dispatch(checkpointer, processor)
    assert end.value.code == MalformedRecordError.exit_status
    assert (checkpointer.stored, applier.numbers) == ([sequence_number(1)], [sequence_number(0), sequence_number(1)])
