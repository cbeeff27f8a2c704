"""What people see of real commands and a real daemon, where tables and endpoints hold what would fool a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import unicodedata
from pathlib import Path

from processor.startup import java
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.dynamodb.lease_table import LeaseTable
from tests.fakes.machine.command import command, end_of
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.fakes.task import tasks
from tests.scenarios.conftest import MakeFleet, Pair

# A title, a cleared screen, C1's way to say it, a turned direction, lines that look like ours.
TRICKS = "\x1b]0;owned\x07\x1b[2J\u009b2J\u202e\u2028\u2029\x85\nerror   forged: line.\r\x7f"
# The only sequences that rich and progress write on a terminal: styles, cursor, erasing of a line.
_OURS = re.compile(r"\x1b\[(?:\d+(?:;\d+)*)?m|\x1b\[\?25[lh]|\x1b\[\d*[AK]|\r")


def _assert_harmless(said: str, *, lines: bool = True) -> None:
    hidden = {unicodedata.category(each) for each in said.replace("\n", "")} & {"Cc", "Cf", "Zl", "Zp", "Cs"}
    assert hidden == set(), ascii(said)
    assert not lines or not re.search(r"^error +forged", said, re.MULTILINE)


def _on_terminal(name: str, settings: dict[str, str]) -> str:
    given = [part for setting, value in settings.items() for part in (f"--{setting}", value)]
    ours, its = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "400", "LINES": "50"}
    with subprocess.Popen([java.ROOT / "run.sh", name, *given], stdout=its, stderr=its, env=environment) as process:
        os.close(its)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:  # Linux's way to say that nobody has the other side any more
            pass
        process.wait(PATIENCE_SECONDS)
    os.close(ours)
    return said.decode()


def test_a_checkpoint_table_says_nothing_to_a_terminal(pair: Pair) -> None:
    """Keys, owners and checkpoints of leases, on a terminal, in a pipe and as JSON, which has them as they are."""
    settings = tasks.task(**pair.settings)
    owners = {f"{TRICKS}key": f"{TRICKS}owner", "another": f"{TRICKS}owner"}
    table = LeaseTable(settings, owners, checkpoints=dict.fromkeys(owners, f"{TRICKS}checkpoint"))
    table.record(pair.stream_arn)
    _, output, errors = end_of(command("status", pair.settings))
    _assert_harmless(output + errors)
    assert "u001b]0;owned" in output
    _, output, _ = end_of(command("status", pair.settings, "--json"))
    _assert_harmless(output)
    assert f"{TRICKS}owner" in {daemon["owner"] for daemon in json.loads(output)["daemons"]}
    said = _on_terminal("status", pair.settings)
    assert "owned" in said
    _assert_harmless(_OURS.sub("", said))


def test_keys_say_nothing_to_a_terminal(pair: Pair, tmp_path: Path) -> None:
    """``verify`` names them, on its output and in its file."""
    pair.put(TRICKS, other={"S": TRICKS})
    file = tmp_path / "keys"
    status, output, errors = end_of(command("verify", pair.settings, "--values", "--output", str(file)))
    assert status == 1
    assert "owned" in output
    _assert_harmless(output + errors)
    _assert_harmless(file.read_text())
    assert json.loads(file.read_text())["key"] == {"id": {"S": TRICKS}}
    said = _on_terminal("verify", pair.settings)
    assert "owned" in said
    _assert_harmless(_OURS.sub("", said))


def test_an_endpoint_says_nothing_to_a_terminal(pair: Pair) -> None:
    """Its error's text is one line of ours, and forges none."""
    with FaultProxy(pair.settings["destinationEndpoint"]) as proxy:
        proxy.inject(faults.error("AccessDeniedException", f"no{TRICKS}"), "DescribeTable")
        given = pair.settings | {"destinationEndpoint": proxy.endpoint}
        for name, *options in (["check"], ["check", "--json"], ["copy"], ["verify"], ["status"]):
            _, output, errors = end_of(command(name, given, *options))
            assert "owned" in output + errors, (name, output, errors)
            _assert_harmless(output + errors)


def test_a_key_hides_no_reason_from_the_daemons_console(make_fleet: MakeFleet) -> None:
    """The line that says why a shard waits is on the console, whole, in either form."""
    for form in ("text", "json"):
        fleet = make_fleet(shards=1, logFormat=form)
        fleet.proxy.inject(
            faults.error("ValidationException", TRICKS),
            "BatchWriteItem",
            "PutItem",
            when=lambda call: b"owned" in call.body,
        )
        daemon: Replicator = fleet.start()
        fleet.simulator.put({"id": {"S": TRICKS}})
        until(lambda: fleet.simulator.history[0].sequence_number in daemon.console, "the message")  # noqa: B023
        _assert_harmless(daemon.console)
        _assert_harmless((daemon.log() + daemon.log("kcl.log")).replace("\n\t", ""))
        (line,) = [line for line in daemon.console.splitlines() if fleet.simulator.history[0].sequence_number in line]
        assert "owned" in line
        assert daemon.stop() == 0
