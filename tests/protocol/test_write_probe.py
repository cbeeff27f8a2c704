"""Whether the destination may be written, tried without writing to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from processor.aws.clients import Clients
from processor.reporting.findings import Finding
from processor.settings.settings import Settings
from processor.startup import fact_reader
from tests.conftest import REGION, Tables
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.task import tasks

WRITES = {"BatchWriteItem", "DeleteItem", "PutItem"}
Look = Callable[..., list[Finding]]


@pytest.fixture
def look(proxy: FaultProxy) -> Look:
    """What is found of a destination."""

    def made(table: str, **changed: str) -> list[Finding]:
        settings: Settings = tasks.task(
            destinationTable=table, destinationRegion=REGION, destinationEndpoint=proxy.endpoint, **changed
        )
        clients = Clients(settings)
        description = clients.destination().describe_table(TableName=table)["Table"]
        return fact_reader._writes(settings, clients, dict(description))

    return made


@pytest.mark.parametrize("key", ["id:S", "id:N", "id:B", "id:S at:N"])
@pytest.mark.parametrize("mode", ["batch", "item"])
def test_each_call_is_tried_and_changes_nothing(
    key: str, mode: str, look: Look, tables: Tables, proxy: FaultProxy
) -> None:
    """Whatever the key is made of, all calls that a replication makes are made once, and the table stays empty."""
    table = tables.create(*key.split())
    calls = WRITES if mode == "batch" else WRITES - {"BatchWriteItem"}
    assert look(table, writeMode=mode) == []
    assert {name: count for name, count in proxy.received.items() if name in WRITES} == dict.fromkeys(calls, 1)
    assert tables.items(table) == []


@pytest.mark.parametrize("call", sorted(WRITES))
@pytest.mark.parametrize("code", ["AccessDeniedException", "UnrecognizedClientException"])
def test_a_call_that_is_denied_is_an_error(call: str, code: str, look: Look, tables: Tables, proxy: FaultProxy) -> None:
    """Each by its name, in AWS's words: nothing would be replicated."""
    proxy.inject(faults.error(code), call, probes=True)
    (finding,) = look(tables.create())
    assert finding.severity == "error"
    assert f"{call} on table" in finding.value
    assert code in finding.value


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "InternalServerError"])
def test_what_passes_forbids_no_start(code: str, look: Look, tables: Tables, proxy: FaultProxy) -> None:
    """A call that could not be made now proves nothing, which is said."""
    proxy.inject(faults.error(code), "DeleteItem", probes=True)
    (finding,) = look(tables.create())
    assert finding.severity == "warning"
    assert "could not be tried" in finding.value


def test_where_conditions_mean_nothing_nothing_is_put(look: Look, tables: Tables, proxy: FaultProxy) -> None:
    """A store that deletes in spite of a condition would put in spite of it."""
    proxy.inject(faults.answer({}), "DeleteItem", probes=True)
    table = tables.create()
    assert look(table, writeMode="item") == []
    assert "PutItem" not in proxy.received
