"""Answers that say that TTL is on."""

from __future__ import annotations

import json
from email.utils import formatdate
from time import time

from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Answer, Exchange, Fault

_now = time  # by whose clock DynamoDB goes, also where a test has another


def answer_ttl(proxy: FaultProxy, table: str = "") -> Fault:
    """TTL is on ``expires`` in a table, or in all; DynamoDB Local would begin to delete, once its own TTL is on."""
    found = {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}}

    def act(exchange: Exchange, _: Fault) -> None:
        exchange.reply(Answer(200, json.dumps(found).encode(), {"Date": formatdate(_now(), usegmt=True)}))

    return proxy.inject(act, "DescribeTimeToLive", when=lambda exchange: table.encode() in exchange.body)
