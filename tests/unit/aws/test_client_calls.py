"""Calls of botocore's clients with bodies of our own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from processor.aws.client_calls import ClientCalls
from processor.aws.clients import Clients, write_client
from processor.aws.timeouts import WriteTimeouts
from tests.fakes.network.http_server import HttpServer
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.task.tasks import task

_REGION = "us-east-1"


def _of_a_task(endpoint: str) -> Any:
    """Its source and destination are in one account and region, and so have one client."""
    given = {"sourceRegion": _REGION, "destinationRegion": _REGION}
    clients = Clients(task(sourceEndpoint=endpoint, destinationEndpoint=endpoint, **given))
    assert clients.source() is clients.destination()
    return clients.source()


def _for_writes(endpoint: str) -> Any:
    return write_client(
        _REGION, endpoint, connections=2, timeouts=WriteTimeouts(connect=PATIENCE_SECONDS, read=PATIENCE_SECONDS)
    )


@pytest.mark.parametrize("make", [_of_a_task, _for_writes])
@pytest.mark.parametrize("event", ["before-call", "before-parse"])
def test_who_shares_a_client_may_begin_at_any_moment(make: Callable[[str], Any], event: str) -> None:
    """Another one's first call is looking for its handlers just then, and botocore keeps those it finds."""
    with HttpServer() as server:
        client = make(server.endpoint)
        handlers: Any = client.meta.events._emitter._handlers
        search, second = handlers.prefix_search, []

        def find(name: str) -> Any:
            found = search(name)
            if name.startswith(event) and not second:
                second.append(ClientCalls(client))
            return found

        handlers.prefix_search = find
        bodies = [json.dumps({"TableName": name, "Segment": 1, "TotalSegments": 2}).encode() for name in ("one", "two")]
        ClientCalls(client).call("Scan", bodies[0])
        answers = [b'{"Items":[{"id":{"S":"a"}}]}', b'{"Items":[{"id":{"S":"b"}}]}']
        server.page_of = lambda body: answers["two" in body.decode()]
        assert second[0].call("Scan", bodies[1]) == answers[1]
        assert server.requests[-1].body == bodies[1]
