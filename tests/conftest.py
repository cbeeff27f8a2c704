"""What all tests share: credentials that open nothing, a DynamoDB Local, and fresh tables on it."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests import ended_threads, longest_first
from tests.fakes.dynamodb import local_server
from tests.fakes.patience import PATIENCE_SECONDS

# No deadlines, for they measure the machine and not the code.
settings.register_profile(
    "project", deadline=None, max_examples=150, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("project")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Among several workers the longest first; without DynamoDB Local none that needs it."""
    local_server.leave_out(items)
    if hasattr(config, "workerinput"):  # alone, the tests of a file or folder are run in its order
        longest_first.put(items)


REGION = "eu-west-1"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1,localhost",
}
_OTHERS = ("AWS_", "REPLICATION_")
_AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential=test/20240101/{REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
)


def take_environment() -> None:
    """What is no test sees no other account or settings, either: for the rest of this process."""
    for name in [name for name in os.environ if name.startswith(_OTHERS)]:
        del os.environ[name]
    os.environ.update(ENVIRONMENT)


@pytest.fixture(scope="session", autouse=True)
def _environment() -> Iterator[None]:
    """No test sees the AWS account or the replication settings of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_OTHERS):
                patch.delenv(name)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        if local_server.is_moto():
            patch.setenv("REPLICATION_DEMO_SERVER", "moto")  # a demo would fetch the other
            patch.setattr(DynamoDBLocal, "start", local_server.refuse)
        yield


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """What tests start obeys SIGINT, also where the tests themselves run in a script's background, which ignores it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _ends_its_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Of a test's fixtures the first to be made and the last to be ended, and so it sees the threads of all."""
    before = frozenset(threading.enumerate())
    yield
    left = ended_threads.left(before) if ended_threads.is_asked(request.path) else ""
    assert not left, left


@pytest.fixture(scope="session")
def dynamodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_server.Server]:
    """One server for all tests that want one: DynamoDB Local, or moto's where that is not to be had."""
    with local_server.started(tmp_path_factory.mktemp("server") / "server.log") as server:
        yield server


@pytest.fixture(scope="session")
def tables(dynamodb: local_server.Server) -> Tables:
    """Fresh tables."""
    return Tables(dynamodb.port)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left out for want of DynamoDB Local, by the files that it is in."""
    skipped = [
        each for each in terminalreporter.stats.get("skipped", []) if local_server.LEFT_OUT in str(each.longrepr)
    ]
    files = Counter(each.nodeid.partition("::")[0] for each in skipped)
    if files:
        terminalreporter.section("left out: these need DynamoDB Local")
        for file, count in sorted(files.items()):
            terminalreporter.write_line(f"{file}: {count}")
        terminalreporter.write_line(
            f"{len(skipped)} tests in all. The others ran, on moto's server where they want one."
        )


class Tables:
    """Tables of one server, read and written in the JSON of the wire, past every library that might improve on it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = itertools.count(1)

    def name(self) -> str:
        """A name that no table has."""
        return f"table-{next(self._numbers)}"

    def create(self, *key: str, name: str | None = None) -> str:
        """A table with that key, each part given as ``name:type``; the default is the string ``id``."""
        name = name or self.name()
        parts = [part.rsplit(":", 1) for part in key or ("id:S",)]
        self.call(
            "CreateTable",
            TableName=name,
            KeySchema=[
                {"AttributeName": part[0], "KeyType": kind}
                for part, kind in zip(parts, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": part[0], "AttributeType": part[1]} for part in parts],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def put(self, table: str, item: dict[str, Any]) -> None:
        """Write one item."""
        self.call("PutItem", TableName=table, Item=item)

    def items(self, table: str) -> list[dict[str, Any]]:
        """Every item, in an order of no meaning that is the same for equal tables."""
        found: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            page = self.call("Scan", TableName=table, ConsistentRead=True, **start)
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                return sorted(found, key=lambda item: json.dumps(item, sort_keys=True))
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def call(self, operation: str, **content: Any) -> dict[str, Any]:
        """One call of DynamoDB's API."""
        headers = {
            "Authorization": _AUTHORIZATION,
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Date": "20240101T000000Z",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        }
        made = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        with contextlib.closing(made) as connection:
            connection.request("POST", "/", body=json.dumps(content), headers=headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        assert response.status == http.client.OK, (operation, answer)
        return answer
