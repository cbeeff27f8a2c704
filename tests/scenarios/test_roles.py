"""Other accounts' tables, on the real daemon.

DynamoDB Local without ``-sharedDb`` keeps tables of each access key and region apart, as AWS does those of accounts:
who uses the wrong credentials finds no table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer

from processor.commands.demo.dynamodb_local import DynamoDBLocal, free_port
from processor.commands.demo.workload import create_table
from tests.fakes.aws.accounts import KEEPER, PROFILES, READER, WRITER
from tests.fakes.aws.fake_sts import Asked, FakeSts
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SOURCE_ID = "orders/1,=@:"  # every kind of character that IAM allows


class Accounts:
    """A server whose tables belong to access keys, and a pair of tables for each test."""

    def __init__(self, server: DynamoDBLocal) -> None:
        self._server = server
        self.settings = {
            "sourceRegion": "us-east-1",
            "sourceTable": "orders",
            "sourceEndpoint": server.endpoint,
            "destinationRegion": "eu-west-1",
            "destinationTable": "orders-copy",
            "destinationEndpoint": server.endpoint,
        }

    def client(self, access_key: str, region: str = "us-east-1") -> DynamoDBClient:
        """An account, in one region."""
        return boto3.client(
            "dynamodb",
            region_name=region,
            endpoint_url=self._server.endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key="s",
        )

    def create(self, source_key: str, destination_key: str) -> None:
        """Tables, each in an account."""
        self.source, self.destination = self.client(source_key), self.client(destination_key, "eu-west-1")
        create_table(self.source, "orders", stream=True)
        create_table(self.destination, "orders-copy", stream=False)

    def put(self, key: str) -> None:
        """Write one item to the source; no two are the same, for a write that changes nothing is in no stream."""
        self.source.put_item(TableName="orders", Item={"id": {"S": key}, "written": {"N": str(time.time_ns())}})

    def wait_for(self, key: str) -> None:
        """Until the destination has an item of that key."""
        wanted = {"id": {"S": key}}
        until(lambda: "Item" in self.destination.get_item(TableName="orders-copy", Key=wanted), f"{key} is there")

    def tables(self, access_key: str) -> list[str]:
        """What that account has where the leases are."""
        return self.client(access_key).list_tables()["TableNames"]


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """One server."""
    log = tmp_path_factory.mktemp("dynamodb-local") / "accounts.log"
    with DynamoDBLocal(log=log, shared=False) as server:
        yield Accounts(server)


def _expiry(asked: Asked) -> float:
    """Such that each use renews: the Java SDK draws a moment from 15 to 2 minutes before the end, botocore takes 15."""
    return 120.0 if asked.java else 899.0


def test_everything_elsewhere_for_months(accounts: Accounts, replicator: Callable[..., Replicator]) -> None:
    """Source, destination and leases are three other accounts'; credentials are renewed; STS may be away meanwhile."""
    accounts.create("READER", "WRITER")
    accounts.put("first")
    roles = {READER: "READER", WRITER: "WRITER", KEEPER: "KEEPER"}
    with FakeSts(roles, external_ids={READER: SOURCE_ID}, expires_in=_expiry) as sts:
        running = replicator(
            accounts.settings
            | {"taskName": "elsewhere", "sourceRoleArn": READER, "sourceRoleExternalId": SOURCE_ID}
            | {"destinationRoleArn": WRITER, "destinationRoleSessionName": "orders", "kclRoleArn": KEEPER}
        )
        running.start(environment=sts.environment)
        accounts.wait_for("first")
        for role, java in ((READER, True), (KEEPER, True), (WRITER, False)):
            before = sts.count(role, java=java)

            def renewed(role: str = role, before: int = before, *, java: bool = java) -> bool:
                accounts.put(role)
                return sts.count(role, java=java) > before + 1

            until(renewed, f"{role} is renewed twice", pause_seconds=0.3)
        sts.away = True
        until(lambda: True in sts.turned_away, "a try of the JVM's")
        accounts.put("without STS")
        accounts.wait_for("without STS")
        until(lambda: "role_not_renewed" in running.log(), "a word about STS")
        assert running.stop() == 0
    assert {"orders"} == {each.session_name for each in sts.asked if each.role_arn == WRITER}
    assert not any(each.java for each in sts.asked if each.role_arn == WRITER)
    assert "DynamoDBCrossRegionReplicationelsewhere" in accounts.tables("KEEPER")
    assert accounts.tables("test") == []


def test_profiles_for_the_tables_and_a_role_for_the_leases(
    accounts: Accounts, replicator: Callable[..., Replicator], tmp_path: Path
) -> None:
    """A profile for each side, and leases elsewhere; nothing is in the account that the environment's key opens."""
    accounts.create("LAPTOPSOURCE", "LAPTOPDESTINATION")
    accounts.put("first")
    (tmp_path / "credentials").write_text(PROFILES)
    with FakeSts({KEEPER: "LEASES"}) as sts:
        running = replicator(
            accounts.settings
            | {"taskName": "profiles", "kclRoleArn": KEEPER}
            | {"sourceProfile": "laptop-source", "destinationProfile": "laptop-destination"}
        )
        running.start(environment=sts.environment | {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")})
        accounts.wait_for("first")
        assert running.stop() == 0
    assert {(KEEPER, "test")} == {(each.role_arn, each.by) for each in sts.asked}
    assert "DynamoDBCrossRegionReplicationprofiles" in accounts.tables("LEASES")
    assert accounts.tables("test") == []


def test_the_source_role_reads_the_source_and_nothing_else(pair: Pair, replicator: Callable[..., Replicator]) -> None:
    """With sourceRoleArn, preflight and daemon read the source as that role; leases and writes stay ours."""
    sts = ThreadedMotoServer(port=free_port(), verbose=False)
    sts.start()
    role = {"sourceRoleArn": "arn:aws:iam::123456789012:role/reader"}
    try:
        with (
            FaultProxy(pair.settings["sourceEndpoint"]) as source,
            FaultProxy(pair.settings["sourceEndpoint"]) as checkpoints,
            FaultProxy(pair.settings["destinationEndpoint"]) as destination,
        ):
            endpoints = {
                "sourceEndpoint": source.endpoint,
                "kclEndpoint": checkpoints.endpoint,
                "destinationEndpoint": destination.endpoint,
            }
            running = replicator(pair.settings | role | endpoints)
            running.start(environment={"AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{sts._port}"})
            pair.put("one")
            pair.wait_for("one")
            assert running.stop() == 0
    finally:
        sts.stop()
    described = {"DescribeTable", "DescribeTimeToLive", "DescribeStream"}
    assert described | {"GetShardIterator", "GetRecords"} == set(source.access_keys)
    assert all(key.startswith("ASIA") for keys in source.access_keys.values() for key in keys)
    for ours in (checkpoints, destination):
        assert {"test"} == {key for keys in ours.access_keys.values() for key in keys}
