"""What is fuzzed: each target takes bytes of any kind, and fails by any exception but those that its code names.

A target's seeds are good inputs, which fuzzing changes.
"""

from __future__ import annotations

import contextlib
import functools
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import botocore.session
import javaproperties
import msgspec
from botocore.awsrequest import HeadersDict
from botocore.exceptions import BotoCoreError, ClientError

from processor.aws.bounds import InvalidAnswerError, has_too_many_values
from processor.aws.checked_parser import CheckedParsers, checked
from processor.aws.harmless_words import CODES, MESSAGES
from processor.aws.http1 import exchange
from processor.aws.http_answer import Answer, BrokenAnswerError
from processor.aws.redaction import UNKNOWN_CODE, WITHHELD, HarmlessWords
from processor.aws.response_shapes import NO_ANSWER
from processor.dynamodb import reader, scanner
from processor.errors import MalformedItemError, MalformedRecordError, UsageError
from processor.replication.dead_letters.letter import entry
from processor.replication.stream_record import decode
from processor.replication.write_responses import batch_decoder, one_decoder
from processor.reporting.printable import escaped
from processor.view.condition.condition import ConditionError, parse
from tests.fakes.streams.stream_record import insert, modify, remove
from tests.fakes.task import tasks
from tests.oracle.expressions import ACCEPTED, NAMES, VALUES

# A socket pair takes so much without a reader.
_MOST_BYTES = 64 * 1024
_MOST_BODY_BYTES = 1024
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
        with contextlib.suppress(InvalidAnswerError, BrokenAnswerError, OSError):
            request = b"POST / HTTP/1.1\r\n\r\n"
            answer, _ = exchange(ours, request, send_seconds=5, read_seconds=5, most_bytes=_MOST_BODY_BYTES)
            assert 200 <= answer.status <= 999
            assert len(answer.body) <= min(len(data), _MOST_BODY_BYTES)


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
    words, said = HarmlessWords(("copy", "id")), data.decode("utf-8", "replace")
    assert words.code(said, 400) in CODES | {UNKNOWN_CODE, "400", "HTTP 400"}
    shown = words.message(said)
    assert shown == WITHHELD or words.message(shown) == shown  # what it is made of is harmless itself
    text = escaped(shown)
    assert "\n" not in text
    assert "\x1b" not in text


def page(data: bytes) -> None:
    """A page of items, as a table that is copied or compared gives it."""
    for decoder in (scanner.decoder, reader.one_decoder, reader.many_decoder):
        with contextlib.suppress(*NO_ANSWER):
            decoder.decode(data)
    assert has_too_many_values(data) is False  # an input is far smaller


def parsed_answer(data: bytes) -> None:
    """An answer that botocore makes objects of: its first byte says of which call."""
    parser, shape = _parsed()[data[0] % len(_PARSED)] if data else _parsed()[0]
    for status in (200, 400):
        with contextlib.suppress(BotoCoreError):
            parser.parse({"status_code": status, "headers": HeadersDict(), "body": data[1:]}, shape)


_PARSED = (
    ("dynamodb", "DescribeTable"),
    ("dynamodb", "Scan"),
    ("sts", "AssumeRole"),
    ("s3", "ListObjectsV2"),
    ("cloudwatch", "PutMetricData"),
)


@functools.cache
def _parsed() -> list[tuple[Any, Any]]:
    """A parser, and the shape of what it is to find, for each of those."""
    made, parsers = botocore.session.get_session(), CheckedParsers()
    found = []
    for service, call in _PARSED:
        model = made.get_service_model(service)
        found.append((parsers.create_parser(model.resolved_protocol), model.operation_model(call).output_shape))
    return found


def condition(data: bytes) -> None:
    """A condition expression, and after a NUL an item that it is asked of."""
    text, _, item = data.partition(b"\0")
    with contextlib.suppress(
        ConditionError, MalformedItemError, msgspec.DecodeError, UnicodeDecodeError, RecursionError
    ):
        found = parse(text.decode("utf-8", "replace"), NAMES, VALUES)
        assert found.names.keys() <= NAMES.keys()
        found.matches(msgspec.json.decode(item, type=dict[str, msgspec.Raw]))


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
        [
            message.replace("{}", "street").replace("{type}", "S").replace("{kind}", "string").encode()
            for message in MESSAGES
        ],
    ),
    "condition": Target(
        condition, [text.encode() + b"\0" + json.dumps(_ITEM | {"a": _ITEM["deep"]}).encode() for text in ACCEPTED]
    ),
    "page": Target(
        page,
        [
            json.dumps(
                {"Items": [_ITEM], "LastEvaluatedKey": _ITEM, "ConsumedCapacity": {"CapacityUnits": 2}}
            ).encode(),
            json.dumps({"Responses": {"t": [_ITEM]}, "UnprocessedKeys": {"t": {"Keys": [_ITEM]}}}).encode(),
            json.dumps({"Item": _ITEM}).encode(),
        ],
    ),
    "parsed_answer": Target(
        parsed_answer,
        [
            b"\0" + json.dumps({"Table": {"TableName": "t", "CreationDateTime": 1.5}}).encode(),
            b"\1" + json.dumps({"Items": [_ITEM], "Count": 1}).encode(),
            b"\2<R><AssumeRoleResult><Credentials><AccessKeyId>a</AccessKeyId></Credentials></AssumeRoleResult></R>",
            b"\3<ListBucketResult><Contents><Key>a</Key><Size>5</Size></Contents></ListBucketResult>",
            b"\4\xbf\x64Name\x9f\xf9\x00\x00\xff\xff",
        ],
    ),
}
