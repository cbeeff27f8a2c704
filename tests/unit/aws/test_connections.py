"""Answers of every service to botocore's clients, past what they may be: no answer, soon, and said so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest
from botocore.config import Config

from processor.aws import bounds
from processor.aws.checked_parser import checked
from processor.aws.clients import Clients
from processor.aws.errors import NotDynamoDBError, aws_errors
from processor.aws.http_answer import Answer
from processor.aws.s3 import Bucket
from processor.aws.sessions import session
from processor.aws.timeouts import WriteTimeouts
from processor.dynamodb.reader import ReadableTable
from processor.errors import UnavailableError
from processor.replication.writer import WritableTable
from processor.settings.identity import Identity
from tests.fakes.dynamodb.changes import put
from tests.fakes.network.flood_server import ANSWERS, FLOODS, FloodServer
from tests.fakes.network.http_server import HttpServer
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.task.tasks import task

# What an endpoint that floods may be said to be.
CODES = {"AnswerTooLarge", "NotDynamoDB", "ConnectionClosedError"}
CALLS: Mapping[str, Callable[[Clients], object]] = {
    "dynamodb": lambda clients: clients.source().describe_table(TableName="orders"),
    "streams": lambda clients: clients.streams().describe_stream(StreamArn="a" * 40),
    "cloudwatch": lambda clients: clients.cloudwatch().put_metric_data(
        Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}]
    ),
    "sts": lambda clients: clients.caller(),
    "assume role": lambda _: (
        session(Identity(role_arn="arn:aws:iam::111111111111:role/r"))
        .create_client("dynamodb", region_name="eu-west-1")
        .list_tables()
    ),
    "s3 read whole": lambda clients: clients.s3().list_objects_v2(Bucket="b"),
    "s3 streamed": lambda clients: Bucket("b", connect=clients.s3).get("k"),
    "raw": lambda clients: ReadableTable("orders", region="eu-west-1", connect=clients.source).get(
        msgspec.Raw(b'{"id":{"S":"a"}}')
    ),
}


@pytest.mark.parametrize("number", range(len(FLOODS)), ids=ANSWERS[: len(FLOODS)])
@pytest.mark.parametrize("call", CALLS)
def test_a_flood_is_no_answer(call: str, number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is asked: it ends after a few bytes more than an answer may have, as what may work later."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    # Each try meets the same.
    monkeypatch.setattr("tests.fakes.network.flood_server.ANSWERS", [ANSWERS[number]])
    for config in ("_READ_CONFIG", "_S3_CONFIG"):
        once = Config(retries={"total_max_attempts": 1})
        monkeypatch.setattr(f"processor.aws.clients.{config}", once)
    with FloodServer() as server:
        server.flooding.set()
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        with pytest.raises(UnavailableError) as caught, aws_errors("The call"):
            CALLS[call](Clients(task()))
    assert caught.value.code in CODES


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200_000, b"HTTP/1.1 200 " + b"x" * 1_000_000])
def test_a_proxy_that_floods(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer to CONNECT has a head's most, too."""
    monkeypatch.setattr("tests.fakes.network.flood_server.FLOODS", {"proxy": (b"", said)})
    monkeypatch.setattr("tests.fakes.network.flood_server.ANSWERS", ["proxy"])
    with FloodServer() as server:
        server.flooding.set()
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, server.endpoint)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "")
        clients = Clients(task(sourceEndpoint="https://dynamodb.example.com"))
        with pytest.raises(UnavailableError), aws_errors("The call"):
            clients.source().describe_table(TableName="orders")


@pytest.mark.parametrize("nested", [b"[" * 200_000 + b"]" * 200_000, b'{"a":' * 200_000 + b"1" + b"}" * 200_000])
@pytest.mark.parametrize("status", [200, 400])
def test_nesting_is_no_answer(nested: bytes, status: int) -> None:
    """DynamoDB nests 32 levels. What is far deeper ends no process and is nobody's bug."""
    body = b'{"Table":%b,"Item":%b,"__type":"a","message":"b"}' % (nested, nested)
    with HttpServer() as server:
        server.page, server.status = body, status
        server.headers = {"Content-Type": "application/x-amz-json-1.0"}
        clients = Clients(task(sourceEndpoint=server.endpoint))
        with pytest.raises(UnavailableError) as caught, aws_errors("The call"):
            clients.source().describe_table(TableName="orders")
        assert caught.value.code in {"NotDynamoDB", "a"}
        table = ReadableTable("orders", region="eu-west-1", connect=clients.source)
        with pytest.raises(UnavailableError):
            table.get(msgspec.Raw(b'{"id":{"S":"a"}}'))


@pytest.mark.parametrize("text", ["x" * 500_000, '"\\' * 200_000, "\U0001f600" * 100_000])
def test_an_error_of_many_words_is_cut_and_keeps_its_code(text: str) -> None:
    """An exception lives for as long as an outage, and what is said of it is a line."""
    body = msgspec.json.encode({"__type": "x#SlowDown", "message": text})
    with pytest.raises(UnavailableError) as caught, aws_errors("The call"):
        checked("PutItem", Answer(400, {}, body))
    assert caught.value.code == "SlowDown"
    assert len(str(caught.value.__cause__)) < 5000


def test_what_is_more_than_an_error_is_none() -> None:
    """A page of a proxy, or a list of a million nothings."""
    with pytest.raises(NotDynamoDBError, match=r"no error of AWS's in 1\.907 MB"):
        checked("PutItem", Answer(400, {}, b"[" + b"1," * 999_999 + b"]"))


def test_a_batch_that_is_too_large_is_asked_for_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB gives up to 16 MB of items, whose JSON may be several times that; half of the keys are half as much."""
    keys = [msgspec.Raw(b'{"id":{"S":"%d"}}' % number) for number in range(100)]
    with HttpServer() as server:

        def page(body: bytes) -> bytes:
            asked = msgspec.json.decode(body)["RequestItems"]["orders"]["Keys"]
            return msgspec.json.encode({"Responses": {"orders": asked}})

        server.page_of, server.headers = page, {"Content-Type": "application/x-amz-json-1.0"}
        monkeypatch.setitem(bounds._OPERATIONS, "BatchGetItem", 1000)  # type: ignore[index]  # of some 40 keys
        clients = Clients(task(sourceEndpoint=server.endpoint))
        table = ReadableTable("orders", region="eu-west-1", connect=clients.source)
        found = table.get_many(keys)
    assert sorted(map(bytes, found)) == sorted(map(bytes, keys))
    assert [len(msgspec.json.decode(each.body)["RequestItems"]["orders"]["Keys"]) for each in server.requests] == [
        100,
        50,
        50,
    ]


@pytest.mark.parametrize("each", [b"{}", b'{"PutRequest":{"Item":{"a":1}}}'])
def test_a_write_is_answered_with_no_more_than_was_written(each: bytes) -> None:
    """What comes back is what was sent: more would be objects of many times its size."""
    sent = [put("x" * 50_000)]
    with HttpServer() as server:
        server.headers = {"Content-Type": "application/x-amz-json-1.0"}
        table = WritableTable(
            "orders",
            region="eu-west-1",
            endpoint=server.endpoint,
            connections=1,
            timeouts=WriteTimeouts.within(PATIENCE_SECONDS),
        )
        for number, error in ((9_000, None), (11_000, "AnswerTooLarge")):
            server.page = b'{"UnprocessedItems":{"orders":[%b]},"a":"%b"}' % (b",".join([each] * number), b"x" * 50_000)
            if error is None:
                assert table.write_batch(sent) == sent
            else:
                with pytest.raises(UnavailableError) as caught:
                    table.write_batch(sent)
                assert caught.value.code == error


def test_room_is_kept_until_a_call_is_over() -> None:
    """An answer that was read is still there while it is parsed."""
    room = bounds.Room(100)
    room.take(60)
    with room.call():
        with room.call():
            room.keep(60)
            with pytest.raises(bounds.TooLargeAnswerError):
                room.take(50)
        room.take(100)
        room.give(100)
    room.take(70)
    room.keep(70)  # in no call
    room.widen(8 + 1)
    room.take(2 * 1024 * 1024)
