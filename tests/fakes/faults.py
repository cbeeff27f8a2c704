"""What can go wrong with a request to DynamoDB; see ``fault_proxy.FaultProxy.inject``."""

from __future__ import annotations

import json

from tests.fakes.fault_proxy import Act, Answer, Exchange, Fault

_LOOK_SECONDS = 0.02
_SERVER_ERRORS = {"InternalServerError", "InternalFailure", "ServiceUnavailable"}


def error(code: str) -> Act:
    """DynamoDB's answer of that kind: ProvisionedThroughputExceededException, ExpiredTokenException, and so on."""
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "As the test wants it"})
    answer = Answer(500 if code in _SERVER_ERRORS else 400, body.encode(), {})
    return lambda exchange, _: exchange.reply(answer)


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
    """It arrives so much later, or when the fault is cleared."""

    def act(exchange: Exchange, fault: Fault) -> None:
        fault.cleared.wait(seconds)
        exchange.reply(exchange.forward(exchange.body))

    return act


def hold() -> Act:
    """It arrives when the fault is cleared, unless the client has hung up by then."""

    def act(exchange: Exchange, fault: Fault) -> None:
        while not exchange.hung_up():
            if fault.cleared.wait(_LOOK_SECONDS):
                return exchange.reply(exchange.forward(exchange.body))
        return exchange.drop()

    return act


def unprocessed(count: int) -> Act:
    """BatchWriteItem on one table does all but the last ``count`` of its writes, and hands those back."""

    def act(exchange: Exchange, _: Fault) -> None:
        ((table, wanted),) = json.loads(exchange.body)["RequestItems"].items()
        if wanted[:-count]:
            exchange.forward(json.dumps({"RequestItems": {table: wanted[:-count]}}).encode())
        exchange.reply(Answer(200, json.dumps({"UnprocessedItems": {table: wanted[-count:]}}).encode(), {}))

    return act
