"""Answers of every service to botocore's clients, past what they may be: no answer, soon, and said so."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from processor.aws import bounds
from processor.aws.checked_parser import checked
from processor.aws.clients import Clients
from processor.aws.connections import bound_session
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
from tests.fakes.network.socket_server import SocketServer, received
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


def test_a_proxys_long_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of few lines, each of which http.client would take: together they may be as long as any head."""
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d: %b\r\n" % (each, b"x" * 60_000) for each in range(50)) + b"\r\n"

    def serve(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(head)
        received(connection)

    with SocketServer(serve) as server:
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, server.endpoint)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "")
        clients = Clients(task(sourceEndpoint="https://dynamodb.example.com"))
        with pytest.raises(UnavailableError, match="a proxy's answer without an end"), aws_errors("The call"):
            clients.source().describe_table(TableName="orders")


def test_nobody_is_asked_whether_to_go_on() -> None:
    """The answer to that would be read by botocore, without a bound. It asks before a body that is a file."""
    heads: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        heads.append(received(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 0\r\n\r\n")

    session = URLLib3Session()
    bound_session(session, PATIENCE_SECONDS, lambda _: 0, whose="S3's")
    with SocketServer(serve) as server:
        asked = AWSRequest("PUT", server.endpoint, headers={"Expect": "100-continue", "X-Other": "stays"}, data=b"body")
        assert session.send(asked.prepare()).status_code == 200
    assert b"x-other: stays" in heads[0].lower()
    assert b"expect" not in heads[0].lower()


_LARGE = {
    "larger than what is made objects of": (b'{"Items":[],"a":"' + b"x" * 5_000_000 + b'"}', "AnswerTooLarge"),
    "more values than AWS gives": (b'{"Items":[' + b"{}," * 200_000 + b"{}]}", "NotDynamoDB"),
}


@pytest.mark.parametrize(("body", "code"), _LARGE.values(), ids=_LARGE)
def test_an_answer_that_would_be_many_objects(body: bytes, code: str) -> None:
    """As long as a page may be; but of what botocore makes of it each byte would be many."""
    with HttpServer() as server:
        server.page, server.headers = body, {"Content-Type": "application/x-amz-json-1.0"}
        clients = Clients(task(sourceEndpoint=server.endpoint))
        with pytest.raises(UnavailableError) as caught, aws_errors("The call"):
            clients.source().scan(TableName="orders")
    assert caught.value.code == code


def test_botocores_calls_keep_their_room() -> None:
    """From an answer's first byte until the call is over: its bytes are there while objects are made of them."""
    with HttpServer() as server:
        server.page, server.headers = (
            b'{"Items":[],"a":"' + b"x" * 1_000_000 + b'"}',
            {"Content-Type": "application/x-amz-json-1.0"},
        )
        client = Clients(task(sourceEndpoint=server.endpoint)).source()
        free = bounds.ROOM._left
        meanwhile: list[int] = []
        client.meta.events.register("after-call.dynamodb.Scan", lambda **_: meanwhile.append(bounds.ROOM._left))
        client.scan(TableName="orders")
    assert free - meanwhile[0] > 900_000
    assert bounds.ROOM._left == free


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
