"""Another account's source, on the real daemon, with moto's STS."""

from __future__ import annotations

from collections.abc import Callable

from moto.server import ThreadedMotoServer

from processor.dynamodb_local import free_port
from tests.fakes.fault_proxy import FaultProxy
from tests.fakes.replicator import Replicator
from tests.scenarios.conftest import Pair


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
