"""What can go wrong with a request to DynamoDB; see ``faulty_server.FaultyServer.inject``."""

from __future__ import annotations

import contextlib
import copy
import http.client
import itertools
import json
import random
import threading
from collections.abc import Mapping
from typing import Any

from tests.fakes.network.faulty_server import Act, Answer, Exchange, Fault

_LOOK_SECONDS = 0.02
_SERVER_ERRORS = {"InternalServerError", "InternalFailure", "ServiceUnavailable"}


def error(code: str, message: str = "As the test wants it") -> Act:
    """DynamoDB's answer of that kind: ProvisionedThroughputExceededException, ExpiredTokenException, and so on."""
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})
    answer = Answer(500 if code in _SERVER_ERRORS else 400, body.encode(), {})
    return lambda exchange, _: exchange.reply(answer)


def answer(content: Mapping[str, Any]) -> Act:
    """A good answer that isn't DynamoDB's."""
    made = Answer(200, json.dumps(content).encode(), {})
    return lambda exchange, _: exchange.reply(made)


def empty(status: int = 500) -> Act:
    """An answer without a body."""
    return lambda exchange, _: exchange.reply(Answer(status, b"", {}))


def drop(*, after: bool = False) -> Act:
    """The connection breaks before the request arrives, or after DynamoDB has done it."""

    def act(exchange: Exchange, _: Fault) -> None:
        if after:
            exchange.forward(exchange.body)
        exchange.drop()

    return act


def delay(seconds: float) -> Act:
    """It arrives so much later, or when the fault is cleared, unless the client has hung up by then."""

    def act(exchange: Exchange, fault: Fault) -> None:
        fault.cleared.wait(seconds)
        if exchange.hung_up():
            return exchange.drop()
        return exchange.reply(exchange.forward(exchange.body))

    return act


def hold(*, after: bool = False) -> Act:
    """It arrives when the fault is cleared, unless the client has hung up by then; or only its answer does."""

    def act(exchange: Exchange, fault: Fault) -> None:
        answer = exchange.forward(exchange.body) if after else None
        while not exchange.hung_up():
            if fault.cleared.wait(_LOOK_SECONDS):
                return exchange.reply(answer or exchange.forward(exchange.body))
        return exchange.drop()

    return act


def hold_and_refuse(code: str) -> Act:
    """DynamoDB's answer of that kind, when the fault is cleared."""

    def act(exchange: Exchange, fault: Fault) -> None:
        fault.cleared.wait()
        error(code)(exchange, fault)

    return act


def unprocessed(count: int) -> Act:
    """BatchWriteItem on one table does all but the last ``count`` of its writes, and hands those back."""

    def act(exchange: Exchange, _: Fault) -> None:
        ((table, wanted),) = json.loads(exchange.body)["RequestItems"].items()
        if wanted[:-count]:
            answer = exchange.forward(json.dumps({"RequestItems": {table: wanted[:-count]}}).encode())
            if answer.status != http.client.OK:
                return exchange.reply(answer)
        return exchange.reply(Answer(200, json.dumps({"UnprocessedItems": {table: wanted[-count:]}}).encode(), {}))

    return act


def empty_page() -> Act:
    """GetRecords' answer without records, though some follow; the next iterator is the same."""

    def act(exchange: Exchange, _: Fault) -> None:
        answer = {"Records": [], "NextShardIterator": json.loads(exchange.body)["ShardIterator"]}
        exchange.reply(Answer(200, json.dumps(answer).encode(), {}))

    return act


class SeededPlan:
    """Draws what becomes of each request; the n-th of an operation always meets the same.

    :param rates: what can happen, each with its share of all requests; the shares' sum is at most 1
    """

    def __init__(self, seed: int, rates: list[tuple[Act, float]]) -> None:
        self._seed = seed
        self._acts = [*(act for act, _ in rates), None]
        shares = list(itertools.accumulate(rate for _, rate in rates))
        if shares and shares[-1] > 1:
            raise ValueError(f"the rates of a plan add up to {shares[-1]}, which is more than 1")
        self._shares = [*shares, 1.0]
        self._draws: dict[str, random.Random] = {}

    def strikes(self, exchange: Exchange) -> bool:
        """Draw for this request."""
        draw = self._draws.setdefault(exchange.operation, random.Random(f"{self._seed} {exchange.operation}"))
        (exchange.planned,) = draw.choices(self._acts, cum_weights=self._shares)
        return exchange.planned is not None

    def act(self, exchange: Exchange, fault: Fault) -> None:
        """Do what was drawn."""
        assert exchange.planned is not None
        exchange.planned(exchange, fault)


def plan(
    seed: int,
    *,
    throttled: float = 0.0,
    failed: float = 0.0,
    refused: float = 0.0,
    dropped: float = 0.0,
    dropped_after: float = 0.0,
    delayed: float = 0.0,
    delay_seconds: float = 0.1,
) -> SeededPlan:
    """A plan of the usual faults, each with its share of the requests: 0.05 is one in twenty.

    :param throttled: ThrottlingException
    :param failed: status 500
    :param refused: ExpiredTokenException
    :param dropped: the connection breaks before the request arrives; ``dropped_after``: after it is done
    """
    return SeededPlan(
        seed,
        [
            (error("ThrottlingException"), throttled),
            (error("InternalServerError"), failed),
            (error("ExpiredTokenException"), refused),
            (drop(), dropped),
            (drop(after=True), dropped_after),
            (delay(delay_seconds), delayed),
        ],
    )


def duplicate(*, later_seconds: float | None = None) -> Act:
    """It arrives twice: at once and before the answer, or so much later, when nobody waits for it any more."""

    def act(exchange: Exchange, _: Fault) -> None:
        if later_seconds is None:
            exchange.forward(exchange.body)
            exchange.reply(exchange.forward(exchange.body))
            return
        again = copy.copy(exchange)  # the connection's next request changes the one that we have
        exchange.reply(exchange.forward(exchange.body))
        timer = threading.Timer(later_seconds, _forward, [again, exchange.body])
        timer.daemon = True
        timer.start()

    return act


def _forward(exchange: Exchange, body: bytes) -> None:
    with contextlib.suppress(OSError):  # at the end of a test DynamoDB itself may have gone
        exchange.forward(body)
