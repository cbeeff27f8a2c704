"""Dead letters in a bucket, from a real child."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from functools import partial

from tests.conftest import Tables
from tests.fakes.aws.moto_s3 import MotoS3
from tests.fakes.daemon.fake_daemon import SHARD_ID
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Answer, Exchange, FaultyServer
from tests.fakes.patience import until
from tests.fakes.streams.stream_record import Item, insert, sequence_number
from tests.protocol.conftest import TASK_NAME, Start, item

REFUSED: Item = item("k", large={"S": 410_000 * "x"})
LETTERS = {"onError": "deadLetter", "deadLetterUri": "s3://letters/here"}


def test_no_checkpoint_before_the_letter_is_stored(start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """While S3 is away, or lacks the bucket, the batch is kept, and said to be; it goes on once the letter is there."""
    table = tables.create()
    s3 = MotoS3()
    daemon = start(table, environment={**os.environ, **s3.environment}, **LETTERS)
    daemon.send_records(insert(1, item("a")), insert(2, REFUSED), insert(3, item("b")))
    daemon.wait_for_event("writes_delayed")
    assert "PutObject on s3://letters/here" in daemon.events("writes_delayed")[0]
    daemon.expect_silence()
    with s3:
        tried = proxy.received["PutItem"]
        proxy.wait_until(lambda: proxy.received["PutItem"] > tried + 1)
        daemon.expect_silence()
        s3.client().create_bucket(Bucket="letters")
        daemon.expect_checkpoint(sequence_number(3))
        ((name, content),) = s3.objects("letters").items()
        daemon.answer_checkpoint()
        daemon.expect_done("processRecords")
    assert name == f"here/{TASK_NAME}/{SHARD_ID}/{sequence_number(2)}.json"
    assert json.loads(content)["newImage"] == REFUSED
    assert [item("a"), item("b")] == tables.items(table)


class OldStore(FaultyServer):
    """S3 as stores have it that know no checksums but MD5."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[bytes] = []

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """Refuse what such a store does not know."""
        names = {name.lower() for name in exchange.headers}
        if any("checksum" in name or "trailer" in name for name in names):
            content = b"<?xml version='1.0'?><Error><Code>NotImplemented</Code><Message>A header</Message></Error>"
            return Answer(501, content, {"Content-Type": "application/xml"})
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        assert exchange.headers["Content-MD5"] == digest
        self.stored.append(body)
        return Answer(200, b"", {"ETag": '"x"'})


def test_a_store_without_checksums(start: Start, tables: Tables) -> None:
    """What AWS alone knows is not sent: the letter is stored, and the shard goes on."""
    with OldStore() as store:
        daemon = start(tables.create(), environment={**os.environ, "AWS_ENDPOINT_URL_S3": store.endpoint}, **LETTERS)
        daemon.apply(insert(1, item("a")), insert(2, REFUSED))
        (stored,) = store.stored
    assert json.loads(stored)["newImage"] == REFUSED


def test_a_store_that_hangs_is_said(start: Start, tables: Tables) -> None:
    """The first call without an answer is said before more are made; the letter is stored once there is one."""
    with OldStore() as store:
        daemon = start(tables.create(), environment={**os.environ, "AWS_ENDPOINT_URL_S3": store.endpoint}, **LETTERS)
        hung = store.inject(faults.hold())
        daemon.send_records(insert(1, REFUSED))
        daemon.wait_for_event("writes_delayed")
        tried = sum(store.received.values())
        hung.clear()
        daemon.expect_checkpoint(sequence_number(1))
        daemon.answer_checkpoint()
        daemon.expect_done("processRecords")
    assert tried <= 2  # the next may have begun


def test_a_change_that_is_accepted_meanwhile_needs_no_letter(start: Start, tables: Tables) -> None:
    """A change that the destination takes after all, while its letter has nowhere to go, is simply applied."""
    table = tables.name()
    index = {"IndexName": "by-code", "KeySchema": [{"AttributeName": "code", "KeyType": "HASH"}]}
    tables.call(
        "CreateTable",
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "code")],
        GlobalSecondaryIndexes=[{**index, "Projection": {"ProjectionType": "KEYS_ONLY"}}],
        BillingMode="PAY_PER_REQUEST",
    )
    daemon = start(table, environment={**os.environ, **MotoS3().environment}, **LETTERS)
    refused = item("k", code={"N": "1"})
    daemon.send_records(insert(1, refused))
    daemon.wait_for_event("writes_delayed")
    tables.call("UpdateTable", TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-code"}}])
    described = partial(tables.call, "DescribeTable", TableName=table)
    until(lambda: "GlobalSecondaryIndexes" not in described()["Table"], "the index gone", pause_seconds=0.2)
    daemon.expect_checkpoint(sequence_number(1))
    daemon.answer_checkpoint()
    daemon.expect_done("processRecords")
    assert [refused] == tables.items(table)
