"""A lease table that answers late, or not at all, or throttles: what that costs which shards, and what is said."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest

from tests.fakes.daemon.fleet import Beats
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Act, Exchange
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet, Servers

FAILOVER_SECONDS = 10  # twice the default: a busy machine renews late
FAILOVER = {"failoverTimeMillis": str(FAILOVER_SECONDS * 1000)}
SHARDS = 3


def _of_lease(exchange: Exchange) -> str:
    shard_id: str = json.loads(exchange.body)["Key"]["leaseKey"]["S"]
    return shard_id


def _is_checkpoint(exchange: Exchange) -> bool:
    return b'"checkpoint"' in exchange.body


def _is_renewal(exchange: Exchange) -> bool:
    return not _is_checkpoint(exchange) and b'"leaseOwner"' not in exchange.body


@pytest.mark.parametrize("kind", [_is_renewal, _is_checkpoint])
@pytest.mark.parametrize(
    "slow", [faults.hold(), faults.hold(after=True)], ids=["before it is done", "done, its answer lost"]
)
def test_one_update_that_is_never_answered(
    slow: Act, kind: Callable[[Exchange], bool], make_fleet: MakeFleet, servers: Servers
) -> None:
    """It costs no shard its lease, not even its own, for two failover times: all are written on without a break."""
    with FaultProxy(servers.source) as table:
        fleet = make_fleet(shards=SHARDS, kclEndpoint=table.endpoint, **FAILOVER)
        daemon = fleet.start()
        with Beats(fleet) as beats:
            beats.wait_replicated(beats.keys.values(), since=time.monotonic())
            held = table.inject(slow, "UpdateItem", times=1, when=kind)
            held.wait()
            over = time.monotonic() + 2 * FAILOVER_SECONDS
            while time.monotonic() < over:
                beats.wait_replicated(beats.keys.values(), since=time.monotonic())
            held.clear()
        fleet.wait_equal()
        assert "lease_lost" not in daemon.log()
        assert daemon.log().count(" shard_started ") == SHARDS
        assert daemon.stop() == 0


def test_a_lease_whose_updates_all_hang(make_fleet: MakeFleet, servers: Servers) -> None:
    """Its own shard stops and begins anew when they are answered again; it is said; the others keep their leases."""
    with FaultProxy(servers.source) as table:
        fleet = make_fleet(shards=SHARDS, kclEndpoint=table.endpoint, **FAILOVER)
        daemon = fleet.start()
        with Beats(fleet) as beats:
            beats.wait_replicated(beats.keys.values(), since=time.monotonic())
            bad, *good = sorted(beats.keys)
            held = table.inject(faults.hold(), "UpdateItem", when=lambda exchange: _of_lease(exchange) == bad)
            until(lambda: "lease_lost" in daemon.log(), "the end of its lease")
            over = time.monotonic() + 2 * FAILOVER_SECONDS
            while time.monotonic() < over:
                beats.wait_replicated([beats.keys[shard] for shard in good], since=time.monotonic())
            assert {bad} == set(re.findall(r" lease_lost shard=(\S+)", daemon.log()))
            assert daemon.events("checkpoints_unusable")
            held.clear()
            beats.wait_replicated(beats.keys.values(), since=time.monotonic())
        fleet.wait_equal()
        assert daemon.stop() == 0


@pytest.mark.parametrize("operation", ["UpdateItem", "Scan"])
def test_a_throttled_lease_table(operation: str, make_fleet: MakeFleet, servers: Servers) -> None:
    """It is said by its name, with table, operation, billing mode and the remedy; all goes on when it is over."""
    with FaultProxy(servers.source) as table:
        fleet = make_fleet(shards=2, kclEndpoint=table.endpoint)
        daemon = fleet.start()
        with Beats(fleet) as beats:
            beats.wait_replicated(beats.keys.values(), since=time.monotonic())
            throttled = table.inject(faults.error("ProvisionedThroughputExceededException"), operation)
            throttled.wait()
            line, *_ = until(lambda: daemon.events("checkpoints_unusable"), "the warning")
            assert f"table={fleet.checkpoint_table}" in line
            assert f"operations={operation}" in line
            assert "error=ProvisionedThroughputExceededException" in line
            assert "billing_mode=PAY_PER_REQUEST" in line
            assert "account's quota" in line
            throttled.clear()
            beats.wait_replicated(beats.keys.values(), since=time.monotonic())
        fleet.wait_equal()
        assert daemon.stop() == 0
