"""The services beside DynamoDB, each as a server that goes wrong on demand: STS, and those that moto has."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from tests.fakes.aws.fake_sts import FakeSts
from tests.fakes.network.faulty_server import Answer, Exchange, FaultyServer

_NOT_FORWARDED = {"connection", "content-length", "transfer-encoding", "expect", "server", "date"}


class Sts(FaultyServer):
    """AssumeRole for any of ``roles``; how long credentials hold is ``fake``'s to say."""

    def __init__(self, fake: FakeSts) -> None:
        super().__init__()
        self._fake = fake

    def act_on(self, exchange: Exchange) -> None:
        """The operation stands in the form."""
        exchange.operation = parse_qs(exchange.body.decode()).get("Action", [""])[0]
        super().act_on(exchange)

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """Give the role's credentials."""
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        signed, agent = exchange.headers.get("Authorization", ""), exchange.headers.get("User-Agent", "")
        status, answer = self._fake.answer(form, signed=signed, agent=agent)
        return Answer(status, answer, {"Content-Type": "text/xml"})


class Forwarded(FaultyServer):
    """Asks ``upstream``, request by request.

    :param operation: what a request is called
    """

    def __init__(self, upstream: str, operation: Callable[[Exchange], str]) -> None:
        super().__init__()
        self._upstream = urlsplit(upstream).netloc
        self._operation = operation

    def act_on(self, exchange: Exchange) -> None:
        """Call it by its name."""
        exchange.operation = self._operation(exchange)
        super().act_on(exchange)

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """Ask."""
        headers = {name: value for name, value in exchange.headers.items() if name.lower() not in _NOT_FORWARDED}
        with contextlib.closing(http.client.HTTPConnection(self._upstream, timeout=60)) as upstream:
            upstream.request(exchange.command, exchange.path, body=body, headers=headers)
            response = upstream.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _NOT_FORWARDED}
            return Answer(response.status, response.read(), kept)


def s3_operation(exchange: Exchange) -> str:
    """PutObject, GetObject, ...; of a bucket GetBucket, which lists it."""
    in_bucket = "/" in exchange.path.partition("?")[0].strip("/")
    return f"{exchange.command.title()}{'Object' if in_bucket else 'Bucket'}"


def cloudwatch_operation(exchange: Exchange) -> str:
    """PutMetricData, in any of CloudWatch's protocols."""
    named: str = exchange.operation or exchange.path.rpartition("/operation/")[2]
    if named and named != exchange.path:
        return named
    with contextlib.suppress(UnicodeDecodeError):
        return parse_qs(exchange.body.decode()).get("Action", [""])[0]
    return ""
