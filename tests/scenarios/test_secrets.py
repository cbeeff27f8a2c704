"""No credentials and no item contents in anything that a daemon writes, says or is called with, whatever goes wrong."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from processor.startup import java
from tests.fakes.aws.fake_sts import FakeSts
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Act, Answer, Exchange, Fault
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair
from tests.scenarios.test_refusals import refuse_numbers

READER = "arn:aws:iam::111111111111:role/reader"
OWN = {
    "AWS_ACCESS_KEY_ID": "HUSHOWNKEY",
    "AWS_SECRET_ACCESS_KEY": "hush/own+secret",
    "AWS_SESSION_TOKEN": "hush/own+token==",
}
ROLE = "HUSHROLEKEY"
EXTERNAL_ID = "hush-external-id"
CONTENTS = "hush-item-contents"
SECRET = re.compile("hush", re.IGNORECASE)
# KCL and the adapter say all they have; the SDK's and its transports' own debugging repeats whole requests.
NOISY = ("software.amazon.awssdk", "org.apache.http", "io.netty")


def repeats_values() -> Act:
    """DynamoDB's refusal in words that hold all of the request, as those of some answers hold parts of it."""

    def act(exchange: Exchange, _: Fault) -> None:
        told = f"The parameter cannot be converted to a numeric value: {exchange.body.decode()}"
        body = {"__type": "com.amazon.coral.validate#ValidationException", "message": told}
        exchange.reply(Answer(400, json.dumps(body).encode(), {}))

    return act


@pytest.fixture
def log_configuration(tmp_path: Path) -> Path:
    """Ours, with every level that we turn down turned up."""
    text = (java.ROOT / "properties" / "logback.xml").read_text()
    text = re.sub(r'  <logger name="[^"]*" level="WARN"/>\n', "", text).replace('"INFO"', '"TRACE"')
    quiet = "".join(f'  <logger name="{name}" level="INFO"/>\n' for name in NOISY)
    file = tmp_path / "logback.xml"
    file.write_text(text.replace("  <root ", f"{quiet}  <root "))
    return file


def _written(folder: Path, *, but: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        if path.is_file() and path != but:
            yield path.name, path.read_text(errors="replace")


def _called_with(running: Replicator) -> str:
    daemon = psutil.Process(running.process.pid)
    return "\n".join(" ".join(process.cmdline()) for process in [daemon, *daemon.children(recursive=True)])


def test_nothing_secret_is_said_or_written(
    pair: Pair, replicator: Callable[..., Replicator], tmp_path: Path, log_configuration: Path
) -> None:
    """Refused, throttled, denied, set aside: a key is named where it must be, contents and credentials nowhere."""
    letters = tmp_path / "letters.jsonl"
    refuse_numbers(pair)
    with (
        FaultProxy(pair.settings["destinationEndpoint"]) as proxy,
        FakeSts({READER: ROLE}, external_ids={READER: EXTERNAL_ID}) as sts,
    ):
        settings = pair.settings | {
            "destinationEndpoint": proxy.endpoint,
            "sourceRoleArn": READER,
            "sourceRoleExternalId": EXTERNAL_ID,
            "onError": "deadLetter",
            "deadLetterUri": letters.as_uri(),
            "logConfiguration": str(log_configuration),
        }
        running = replicator(settings).start(environment=OWN | sts.environment)
        pair.put("first", secret={"S": CONTENTS})
        pair.wait_for("first")
        called_with = _called_with(running)
        assert "processor.replication.nursery" in called_with

        pair.put("refused", code={"N": "1"}, secret={"S": CONTENTS}, more={"L": [{"M": {"a": {"S": CONTENTS}}}]})
        until(letters.exists, "a dead letter")
        for act in (
            faults.error("ProvisionedThroughputExceededException"),
            faults.error("UnrecognizedClientException"),
            faults.error("InternalServerError"),
        ):
            fault = proxy.inject(act, times=2)
            pair.put("second", secret={"S": f"{CONTENTS}-{fault.times}"})
            fault.wait(2)
        told = proxy.inject(repeats_values(), "PutItem", "BatchWriteItem")
        pair.put("third", secret={"S": CONTENTS}, number={"N": "4711"})
        until(lambda: "third" in letters.read_text(), "a letter of the third")
        told.clear()
        pair.put("last")
        pair.wait_for("last")
        assert running.stop() == 0

        for where, text in (
            ("the console", running.console),
            ("arguments", called_with),
            *_written(running.log_directory, but=letters),
        ):
            secrets = text if where != "child.json" else text.replace(f'"{EXTERNAL_ID}"', "")
            found = SECRET.search(secrets if where != "daemon.properties" else secrets.replace(EXTERNAL_ID, ""))
            assert not found, f"{where}: {text[max(0, found.start() - 300) : found.end() + 100]}"
        assert "4711" not in running.log()
        assert '"third' in running.log().replace("\\", "")
        assert CONTENTS in letters.read_text()
        assert not re.search(SECRET.pattern.replace("hush", "hush(?!-item-contents)"), letters.read_text())
        for name in ("daemon.properties", "child.json"):
            (path,) = running.log_directory.glob(f"*/{name}")
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
