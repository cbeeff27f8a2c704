"""Writes as they go over the wire, and what of them came back undone."""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import botocore.exceptions
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import Session
from moto import mock_aws

from processor.aws.timeouts import WriteTimeouts
from processor.errors import CredentialsError, UnavailableError
from processor.replication.change import Change, bytes_of
from processor.replication.writer import Table, WritableTable
from tests.fakes.dynamodb.changes import decode, delete, put
from tests.fakes.dynamodb.table import FakeTable
from tests.fakes.network.http_server import HttpServer
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.streams.stream_record import insert, remove

REGION = "us-east-1"


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """The destination."""
    with HttpServer() as made:
        yield made


def _table(server: HttpServer, **more: Any) -> WritableTable:
    options = {"timeouts": WriteTimeouts(connect=3, read=10), "may_write": lambda: None} | more
    return WritableTable("copy", region=REGION, endpoint=server.endpoint, connections=8, **options)


def _session(key: str) -> Session:
    made = Session()
    made.set_credentials(key, "s")
    return made


STRANGE = '{"id":{"S":"é\\u00e9\\/"},"n":{"N":"1E-130"},"big":{"N":"%s"},"b":{"B":"AAE="}}' % ("9" * 38)


def _strange(kind: str) -> Change:
    """A change whose bytes no JSON library would write again."""
    record = insert(1, {"id": {"S": "IMAGE"}}) if kind == "put" else remove(1, {"id": {"S": "IMAGE"}})
    spaced = STRANGE.replace(":", " :  ", 1).encode()
    return decode(record.data.replace(b'{"id":{"S":"IMAGE"}}', spaced))


@pytest.mark.parametrize(
    ("kind", "operation", "body"),
    [("put", "PutItem", b'{"TableName":"copy","Item":%b}'), ("delete", "DeleteItem", b'{"TableName":"copy","Key":%b}')],
)
def test_one_write_carries_the_raw_bytes(server: HttpServer, kind: str, operation: str, body: bytes) -> None:
    """PutItem and DeleteItem send the stream's bytes as they came, no number or escape rewritten."""
    change = _strange(kind)
    _table(server).write_one(change)
    assert [(operation, body % bytes_of(change))] == [(request.operation, request.body) for request in server.requests]
    assert STRANGE[8:].encode() in server.requests[0].body


def test_a_page_of_a_proxy_is_no_confirmed_write(server: HttpServer) -> None:
    """A 200 that DynamoDB did not give leaves the change unwritten, however well botocore takes it."""
    server.page = b"<html>Please sign in</html>"
    table = _table(server)
    for write in (lambda: table.write_one(put("a")), lambda: table.write_one(delete("a"))):
        with pytest.raises(UnavailableError, match="none of DynamoDB's"):
            write()
    with pytest.raises(UnavailableError, match="none of DynamoDB's"):
        table.write_batch([put("a"), put("b")])


def test_a_batch_carries_the_raw_bytes(server: HttpServer) -> None:
    """BatchWriteItem sends puts and deletes in their order, with the stream's bytes as they came."""
    changes = [_strange("put"), delete("b"), put("c")]
    assert _table(server).write_batch(changes) == []
    requests = b'{"PutRequest":{"Item":%b}},{"DeleteRequest":{"Key":%b}},{"PutRequest":{"Item":%b}}'
    requests %= tuple(bytes_of(change) for change in changes)
    assert b'{"RequestItems":{"copy":[%b]}}' % requests == server.requests[0].body
    assert json.loads(server.requests[0].body)


def test_the_signature_is_of_what_is_sent(server: HttpServer) -> None:
    """The request is signed with the body that it carries, not with the empty one that botocore was given."""
    _table(server).write_one(put("a"))
    (request,) = server.requests
    names = request.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = {name: value for name, value in request.headers.items() if name.lower() in names}
    again = AWSRequest("POST", f"{server.endpoint}/", headers=headers, data=request.body)
    again.context["timestamp"] = request.headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials("test", "test"), "dynamodb", REGION)
    expected = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert request.headers["Authorization"].endswith(f"Signature={expected}")


def test_threads_do_not_mix_their_bodies(server: HttpServer) -> None:
    """Any number of threads may write at once: each item arrives once, as its own."""
    both = threading.Barrier(2, timeout=PATIENCE_SECONDS)
    table, changes = _table(server, may_write=both.wait), [put("a"), put("b")]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):  # the second time on connections that are there
            list(pool.map(table.write_one, changes))
    expected = [b'{"TableName":"copy","Item":%b}' % bytes_of(change) for change in changes]
    assert sorted(expected * 2) == sorted(request.body for request in server.requests)


def _keys_of_all_types() -> list[Change]:
    keys = [
        {"id": {"S": "é"}, "at": {"N": "1.50"}},
        {"id": {"S": "é"}, "at": {"N": "-1E+2"}},
        {"id": {"S": "b"}, "at": {"B": "AP8+/w=="}},
    ]
    puts = [decode(insert(1, key | {"x": {"S": "y"}}, key_names=("id", "at")).data) for key in keys]
    return [*puts, decode(remove(1, {"id": {"S": "gone"}, "at": {"N": "0.10"}}).data)]


def _undone(change: Change, *, number: Callable[[str], str] = str) -> dict[str, Any]:
    item = json.loads(bytes_of(change))
    item["at"] = {kind: number(value) if kind == "N" else value for kind, value in item["at"].items()}
    return {"PutRequest": {"Item": item}} if change.kind == "put" else {"DeleteRequest": {"Key": item}}


def test_what_came_back_unprocessed_is_found_again(server: HttpServer) -> None:
    """Each unprocessed item is recognised by its key, of whatever type, and however its number is now written."""
    changes = _keys_of_all_types()
    again = {"1.50": "1.5", "-1E+2": "-100", "0.10": "0.1"}
    for change in changes:
        undone = _undone(change, number=lambda text: again[text])
        server.answers.append((200, {"UnprocessedItems": {"copy": [undone]}}))
        assert [change] == _table(server).write_batch(changes)


UNTOLD = {
    "unknown key": {"copy": [{"PutRequest": {"Item": {"id": {"S": "who"}, "at": {"N": "7"}}}}]},
    "part of a key": {"copy": [{"DeleteRequest": {"Key": {"id": {"S": "b"}}}}]},
    "another name of the table": {"arn:aws:dynamodb:us-east-1:1:table/copy": [_undone(_keys_of_all_types()[2])]},
}


@pytest.mark.parametrize("undone", UNTOLD.values(), ids=UNTOLD)
def test_unprocessed_items_are_never_lost(server: HttpServer, undone: dict[str, Any]) -> None:
    """An unprocessed item that can't be told, or stands under another table name, is written again all the same."""
    changes = _keys_of_all_types()
    server.answers.append((200, {"UnprocessedItems": undone}))
    assert changes[2] in _table(server).write_batch(changes)


def test_a_write_is_tried_once(server: HttpServer) -> None:
    """Writes are not retried in silence by botocore: retrying is apply.py's, which says so."""
    throttled = {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "Rate exceeded"}
    server.answers.append((400, throttled))
    message = "PutItem on table copy in us-east-1: ThrottlingException: Rate exceeded"
    with pytest.raises(UnavailableError, match=message):
        _table(server).write_one(put("a"))
    assert len(server.requests) == 1


def test_new_credentials_are_used_after_a_renewal(server: HttpServer) -> None:
    """After ``renew_credentials`` writes are signed with what is found then; many threads' looks count as one."""
    keys, now = iter(["FIRST", "SECOND", "THIRD"]), [100.0]

    def make() -> Session:
        return _session(next(keys))

    table = _table(server, make_session=make, clock=lambda: now[0])
    for seconds in (0, 10, 0):
        now[0] += seconds
        table.renew_credentials()
        table.write_one(put("a"))
    used = [request.headers["Authorization"].split("=")[1].split("/")[0] for request in server.requests]
    assert used == ["FIRST", "SECOND", "SECOND"]
    assert {len(request.body) for request in server.requests} == {len(server.requests[0].body)}


def test_a_failed_look_for_credentials_ends_nothing(server: HttpServer) -> None:
    """Where looking anew fails (a profile just being rewritten, say), the old client stays and the next look may do."""
    now, broken = [100.0], [False]

    def make() -> Session:
        if broken[0]:
            raise botocore.exceptions.ProfileNotFound(profile="p")
        return _session("KEY")

    table = _table(server, make_session=make, clock=lambda: now[0])
    broken[0] = True
    with pytest.raises(CredentialsError):  # so apply.py waits for them, as for a destination that is away
        table.write_one(put("a"))
    broken[0] = False
    table.write_one(put("a"))
    now[0], broken[0] = 200.0, True
    with pytest.raises(CredentialsError):
        table.renew_credentials()
    table.write_one(put("a"))
    assert len(server.requests) == 2


@pytest.mark.parametrize("implementation", [WritableTable, FakeTable])
def test_table_and_its_fake_satisfy_one_protocol(implementation: type) -> None:
    """What stands for the destination in tests has the very methods of the real one."""
    for name, method in inspect.getmembers(Table, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(method) == inspect.signature(getattr(implementation, name))


def test_the_key_is_looked_up_with_its_types() -> None:
    """``key_types`` has the attributes of the key and no others, as they are at each call."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        client.create_table(
            TableName="copy",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kind} for name, kind in (("at", "N"), ("id", "S"), ("x", "B"))
            ],
            LocalSecondaryIndexes=[
                {
                    "IndexName": "by-x",
                    "KeySchema": [
                        {"AttributeName": "id", "KeyType": "HASH"},
                        {"AttributeName": "x", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        table = WritableTable("copy", region=REGION, connections=1, timeouts=WriteTimeouts(connect=3, read=10))
        assert table.key_types() == {"id": "S", "at": "N"}
        client.delete_table(TableName="copy")
        with pytest.raises(UnavailableError, match="DescribeTable on table copy"):
            table.key_types()


def test_a_table_that_is_not_active_has_no_key_yet(server: HttpServer) -> None:
    """Nothing is decided by a table that is being made or deleted."""
    server.answers.append((200, {"Table": {"TableName": "copy", "TableStatus": "DELETING"}}))
    with pytest.raises(UnavailableError, match="copy in us-east-1 is DELETING"):
        _table(server).key_types()
