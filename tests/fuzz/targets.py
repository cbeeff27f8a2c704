"""What is fuzzed: each target takes bytes of any kind, and fails by any exception but those that its code names.

A target's seeds are good inputs, which fuzzing changes.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import javaproperties
import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from processor.aws.answers import checked
from processor.aws.exchange import Answer, BrokenAnswerError, exchange
from processor.errors import MalformedRecordError, UsageError
from processor.letters import entry
from processor.printable import escaped
from processor.records import decode
from processor.redaction import without_values
from processor.write_answers import batch_decoder, one_decoder
from tests.fakes import tasks
from tests.fakes.stream_record import insert, modify, remove

# A socket pair takes so much without a reader.
_MOST_BYTES = 64 * 1024
_ITEM = {"id": {"S": "a"}, "n": {"N": "1.50"}, "deep": {"M": {"l": {"L": [{"S": "street"}, {"NS": ["1", "2"]}]}}}}


class Target(NamedTuple):
    """``run`` takes one input; ``seeds`` are some that it takes well."""

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]


def http_answer(data: bytes) -> None:
    """What a server says on an open connection, which then ends."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data[:_MOST_BYTES])
        theirs.shutdown(socket.SHUT_WR)
        with contextlib.suppress(BrokenAnswerError, OSError):
            answer, _ = exchange(ours, b"POST / HTTP/1.1\r\n\r\n", send_seconds=5, read_seconds=5)
            assert 200 <= answer.status <= 999
            assert len(answer.body) <= len(data)


def dynamodb_answer(data: bytes) -> None:
    """The body of an answer, a success and an error, as it is checked and read."""
    for status in (200, 400, 500):
        with contextlib.suppress(BotoCoreError, ClientError):
            body = checked("BatchWriteItem", Answer(status, {"content-type": "application/x-amz-json-1.0"}, data))
            for decoder in (batch_decoder, one_decoder):
                with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    decoder.decode(body)


def stream_records(data: bytes) -> None:
    """A batch of stream records, as the daemon hands it to a child."""
    with contextlib.suppress(MalformedRecordError):
        for change in decode(data):
            assert change.sequence_number.isdecimal()
            assert change.key_names
            assert change.image is None or bytes(change.image).strip().startswith(b"{")


def properties_file(data: bytes) -> None:
    """A properties file."""
    with contextlib.suppress(UsageError):
        tasks.load(data.decode("latin-1"))


def dead_letter(data: bytes) -> None:
    """A line of a dead-letter file."""
    found = entry("dead.jsonl:1", "tag", data)
    assert (found.heading is None) == bool(found.problem)


def shown_text(data: bytes) -> None:
    """An endpoint's words about an item, as they are shown."""
    words, _, item = data.partition(b"\0")
    text = escaped(without_values(words.decode("utf-8", "replace"), [item]))
    assert "\n" not in text
    assert "\x1b" not in text


def _records(*each: bytes) -> bytes:
    return b"[" + b",".join(each) + b"]"


_BODY = b'{"UnprocessedItems":{},"ConsumedCapacity":[{"TableName":"t","CapacityUnits":2.0}]}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
TARGETS: Mapping[str, Target] = {
    "http_answer": Target(
        http_answer,
        [
            _HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY),
            _HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\n{}\n\r\n0\r\nT: 1\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n" + _HEAD + b"\r\n{}",
        ],
    ),
    "dynamodb_answer": Target(
        dynamodb_answer,
        [
            _BODY,
            json.dumps({"UnprocessedItems": {"t": [{"PutRequest": {"Item": _ITEM}}]}}).encode(),
            b'{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"no","Item":{"a":{"S":"b"}}}',
        ],
    ),
    "stream_records": Target(
        stream_records,
        [
            _records(insert(1, _ITEM).data),
            _records(modify(2, _ITEM).data, remove(3, {"id": {"S": "a"}}).data),
        ],
    ),
    "properties_file": Target(
        properties_file,
        [
            javaproperties.dumps(tasks.REQUIRED | {"deadLetterUri": "s3://b/c", "onError": "deadLetter"}).encode(),
            b"sourceTable : a\\u00e9\n! a comment\ncopyReadUnits=50%\n" + javaproperties.dumps(tasks.REQUIRED).encode(),
        ],
    ),
    "dead_letter": Target(
        dead_letter,
        [b'{"taskName":"t","table":"a","region":"r","sequenceNumber":"5","key":{"id":{"S":"a"}},"reason":"no"}'],
    ),
    "shown_text": Target(
        shown_text,
        [b"cannot be converted to a numeric value: street 1.50\0" + json.dumps(_ITEM).encode()],
    ),
}
