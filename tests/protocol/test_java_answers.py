"""What the JVM's clients make of answers without end, too large or too deep: no answer, in little memory and time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.fakes.java.java_program import JavaProgram
from tests.fakes.network import boundless
from tests.fakes.network.faulty_server import Answer, Exchange, FaultyServer

ROLE = (
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
    "<AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
    "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
)
ACTS = {**boundless.ACTS, "deep XML": boundless.DEEP_XML}


class Aws(FaultyServer):
    """STS, CloudWatch, and DescribeTable."""

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """The right answer."""
        if exchange.operation:
            return Answer(200, b'{"Table":{"TableStatus":"ACTIVE"}}', {"Content-Type": "application/x-amz-json-1.0"})
        return Answer(200, ROLE.encode() if b"AssumeRole" in body else b"<PutMetricDataResponse/>", {})


class Clients:
    """The JVM with the daemon's clients; its heap would hold none of the answers."""

    def __init__(self, endpoint: str) -> None:
        options = ["-Xmx96m", "-XX:+ExitOnOutOfMemoryError"]
        self.program = JavaProgram("JavaAnswers.java", endpoint, options=options, environment={"AWS_MAX_ATTEMPTS": "1"})

    def ask(self, client: str) -> str:
        """Make a call; what comes of it."""
        return self.program.ask(client, is_answer=lambda line: line.startswith(("ok", "error"))).strip()


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """For all tests."""
    with Aws() as server:
        yield server


@pytest.fixture(scope="module")
def clients(aws: Aws) -> Iterator[Clients]:
    """One JVM for all tests."""
    made = Clients(aws.endpoint)
    yield made
    made.program.end()


@pytest.mark.parametrize("client", ["table", "role", "metrics"])
def test_a_right_answer(client: str, clients: Clients) -> None:
    """Is one."""
    assert clients.ask(client) == "ok"


@pytest.mark.parametrize("client", ["table", "role", "metrics"])
@pytest.mark.parametrize("name", ACTS)
def test_a_hostile_answer(client: str, name: str, aws: Aws, clients: Clients) -> None:
    """Is a failed call, and the next one is answered; nothing but an exception comes of it."""
    fault = aws.inject(ACTS[name])
    said = clients.ask(client)
    fault.clear()
    assert said.startswith("error"), said
    assert "StackOverflowError" not in said
    assert "NullPointerException" not in said
    assert clients.ask(client) == "ok"


@pytest.mark.parametrize(("levels", "said"), [(200, "ok"), (300, "error")])
def test_nesting_is_bounded_by_what_an_item_may_have(levels: int, said: str, aws: Aws, clients: Clients) -> None:
    """The SDK's own parser would take a thousand levels, each of which is a call of whatever reads them."""
    nested = b'{"Table":{"TableStatus":"ACTIVE"},"More":' + b"[" * levels + b"]" * levels + b"}"
    answer = Answer(200, nested, {"Content-Type": "application/x-amz-json-1.0"})
    fault = aws.inject(lambda exchange, _: exchange.reply(answer))
    found = clients.ask("table")
    fault.clear()
    assert found.startswith(said), found


def test_an_answer_that_drips(aws: Aws, clients: Clients) -> None:
    """Where nothing else bounds its time, 30 s do, though each read gives a byte."""
    fault = aws.inject(boundless.DRIPPING)
    began = time.monotonic()
    said = clients.ask("table")
    fault.clear()
    assert "no whole answer within 30 s" in said
    assert time.monotonic() - began >= 30
