"""What the daemon makes of GetRecords' answers: each record the bytes that it came as, whatever they are."""

from __future__ import annotations

import base64
import json
import zlib
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.java.java_program import JavaProgram
from tests.fakes.network.listener import Listener
from tests.fakes.streams.stream_record import sequence_number

# What a reader that counts bytes could stumble over.
TEXTS = st.text(st.sampled_from('ab"\\{}[]:,\n\t\x7fé\u2028\U0001f600'), max_size=8)
VALUES = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"S": TEXTS}),
        st.fixed_dictionaries({"N": st.sampled_from(["0", "-1.5", "1E-130", "9" * 38])}),
        st.fixed_dictionaries({"B": st.binary(max_size=6).map(lambda data: base64.b64encode(data).decode())}),
        st.just({"NULL": True}),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"M": st.dictionaries(TEXTS, inner, max_size=3)}),
    ),
    max_leaves=5,
)
NAMES = st.one_of(TEXTS, st.sampled_from(["dynamodb", "SequenceNumber", "Records", "NextShardIterator"]))
ITEMS = st.dictionaries(NAMES, VALUES, max_size=4)
TIMES = st.sampled_from([1_700_000_000, 1_700_000_000.0, 1_700_000_000.25, 1.7e9])


class Read(NamedTuple):
    """``records``: of each its sequence number, its time in ms, its bytes. ``batch``: what the child is given."""

    next_iterator: str | None
    records: list[tuple[str, int, bytes]]
    batch: tuple[str, bytes] | None


class Daemon:
    """The daemon's classes in one JVM, and the server that they call."""

    def __init__(self) -> None:
        self.answers: deque[tuple[bytes, int]] = deque()
        daemon = self

        class Exchange(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                body, checksum = daemon.answers.popleft()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("x-amz-crc32", str(checksum))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.listener = Listener(Exchange)
        self.listener.start()
        self.program = JavaProgram("JavaPages.java", f"http://127.0.0.1:{self.listener.port}")

    def say(self, line: str) -> list[str]:
        """Give it a line; the parts of its answer."""
        return self.program.ask(
            line, is_answer=lambda answer: answer.split()[:1] in (["error"], ["next"], ["-"])
        ).split()

    def read(self, *bodies: bytes, checksums: tuple[int, ...] = ()) -> Read | str:
        """One call that is answered by ``bodies``, one for each try; the error's text where it fails."""
        given = checksums or tuple(map(zlib.crc32, bodies))
        self.answers.extend(zip(bodies, given, strict=True))
        first, *parts = self.say("read")
        if first == "error":
            return base64.b64decode(parts[0]).decode()
        records = [
            (number, int(created), base64.b64decode(data))
            for number, created, data in zip(parts[:-2:3], parts[1:-2:3], parts[2:-2:3], strict=True)
        ]
        batch = (parts[-2], base64.b64decode(parts[-1])) if parts else None
        return Read(None if first == "-" else first, records, batch)


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """One JVM for all examples."""
    made = Daemon()
    yield made
    made.program.end()
    made.listener.stop()


def _record(number: int, item: dict[str, Any], created: float = 1_700_000_000) -> dict[str, Any]:
    data = {
        "Keys": {"id": {"S": "k"}},
        "NewImage": item,
        "OldImage": {"dynamodb": {"M": {"SequenceNumber": {"S": "9"}}}, "SequenceNumber": {"S": "9"}},
        "ApproximateCreationDateTime": created,
        "SequenceNumber": sequence_number(number),
    }
    return {"eventName": "MODIFY", "SequenceNumber": "8", "dynamodb": data, "userIdentity": None}


@settings(max_examples=60)
@given(
    items=st.lists(st.tuples(ITEMS, TIMES), max_size=4),
    more=st.booleans(),
    spaces=st.booleans(),
    ascii_only=st.booleans(),
)
def test_records_stay_the_bytes_they_came_as(
    daemon: Daemon,
    items: list[tuple[dict[str, Any], float]],
    more: bool,  # noqa: FBT001  # hypothesis gives them by name
    spaces: bool,  # noqa: FBT001
    ascii_only: bool,  # noqa: FBT001
) -> None:
    """Each record's place, time and bytes are as the stream gave them; a batch is all of them, in order."""
    given_records = [_record(number, item, created) for number, (item, created) in enumerate(items)]
    separators = (" ,\n", " : ") if spaces else (",", ":")
    answer = {"Records": given_records, **({"NextShardIterator": "next"} if more else {})}
    body = json.dumps(answer, separators=separators, ensure_ascii=ascii_only).encode()
    found = daemon.read(body)
    assert isinstance(found, Read)
    raw = msgspec.json.decode(body, type=dict[str, Any] if not items else _Answer)
    expected = [] if not items else [bytes(record).strip() for record in raw.Records]  # type: ignore[union-attr]
    assert found.next_iterator == ("next" if more else None)
    assert [data for _, _, data in found.records] == expected
    assert [number for number, _, _ in found.records] == [sequence_number(number) for number in range(len(items))]
    assert [created for _, created, _ in found.records] == [round(created * 1000) for _, created in items]
    assert found.batch == ((sequence_number(len(items) - 1), b"[%b]" % b",".join(expected)) if items else None)


class _Answer(msgspec.Struct):
    Records: list[msgspec.Raw]


def _page(*records: Any) -> bytes:
    return json.dumps({"Records": records, "NextShardIterator": "next"}).encode()


def test_an_answer_that_was_changed_on_its_way_is_asked_for_again(daemon: Daemon) -> None:
    """An answer whose CRC32 is another one is not believed, as the SDK would not: the next try's is."""
    bad, good = _page(_record(1, {"id": {"S": "changed"}})), _page(_record(1, {"id": {"S": "sent"}}))
    found = daemon.read(bad, good, checksums=(zlib.crc32(good), zlib.crc32(good)))
    assert isinstance(found, Read)
    assert b"sent" in found.records[0][2]
    assert not daemon.answers


def test_a_shard_that_kcl_goes_back_in_is_not_at_its_end(daemon: Daemon) -> None:
    """KCL may drop a batch that ended the shard, and ask for less of it: what follows must not be passed over."""
    last = json.dumps({"Records": [_record(2, {})]}).encode()
    numbers = {"StartingSequenceNumber": sequence_number(0)}
    closed = {"ShardId": "shard", "SequenceNumberRange": numbers | {"EndingSequenceNumber": sequence_number(2)}}
    child = {"ShardId": "child", "ParentShardId": "shard", "SequenceNumberRange": numbers}
    listing = json.dumps({"StreamDescription": {"StreamStatus": "ENABLED", "Shards": [closed, child]}}).encode()
    iterator = b'{"ShardIterator":"iterator"}'
    end = (last, listing, iterator, b'{"Records":[]}')
    for body in (iterator, *end, _page(_record(1, {})), *end):
        daemon.answers.append((body, zlib.crc32(body)))
    assert daemon.say("reset") == ["-", "true", "false", "true"]


BROKEN = {
    "no JSON": b"<html>",
    "cut short": _page(_record(1, {"secret": {"S": "secret"}}))[:-30],
    "a token that is none": _page(_record(1, {"id": {"S": "k"}})).replace(b'"k"', b"secret"),
    "no object": b"[]",
    "records that are none": b'{"Records":{}}',
    "a record that is none": b'{"Records":[1]}',
    "no sequence number": b'{"Records":[{"dynamodb":{"ApproximateCreationDateTime":1}}]}',
    "no time": b'{"Records":[{"dynamodb":{"SequenceNumber":"1"}}]}',
    "no iterator's text": b'{"Records":[],"NextShardIterator":1}',
    "an empty iterator": b'{"Records":[],"NextShardIterator":""}',
    "no records": b'{"NextShardIterator":"next"}',
    "null for records": b'{"Records":null,"NextShardIterator":"next"}',
    "nothing": b"{}",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_none_is_an_error(daemon: Daemon, body: bytes) -> None:
    """It is never taken for an empty page, after which the shard would be read on, or for its end."""
    found = daemon.read(body, body)
    assert isinstance(found, str)
    assert "can't be understood" in found
    assert "secret" not in found
    assert len(daemon.answers) <= 1
    daemon.answers.clear()
