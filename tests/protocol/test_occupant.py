"""What a copy says of a destination that holds items, by DynamoDB Local."""

from __future__ import annotations

import threading

from processor.aws.clients import Clients
from processor.commands.copy import occupant
from processor.commands.copy.occupant import Occupants
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.reporting.logs import Log
from tests.conftest import Tables
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.policies import COMMAND_AT_ONCE
from tests.fakes.task.tasks import task


def test_one_answer_without_items_makes_no_empty_table(dynamodb: DynamoDBLocal, tables: Tables) -> None:
    """It holds another application's: the copy would write over them without a word."""
    source, destination = tables.create(), tables.create()
    tables.put(destination, {"id": {"S": "another's"}})
    retry = Retry(COMMAND_AT_ONCE, threading.Event(), Outage(Log(), "copy_delayed", note=""))
    with FaultProxy(dynamodb.endpoint) as proxy:
        settings = task(
            sourceTable=source,
            sourceEndpoint=dynamodb.endpoint,
            destinationTable=destination,
            destinationEndpoint=proxy.endpoint,
        )
        fault = proxy.inject(faults.answer({"Items": [], "Count": 0, "ScannedCount": 0}), "Scan", times=1)
        assert occupant.look(settings, Clients(settings), ["id"], retry) == (Occupants(looked_at=1, foreign=1), [])
    assert fault.met
