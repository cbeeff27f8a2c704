"""``./run.sh verify`` as it is started by a person or a script."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.scenarios.conftest import Pair
from tests.scenarios.test_redrive import command, end_of


def test_verify_and_repair(pair: Pair, tmp_path: Path) -> None:
    """1 where the tables differ, 0 once they are made equal; standard output is the report and nothing else."""
    for name in ("a", "b", "c"):
        pair.put(name, v={"N": "1"}, other={"S": "x"})
    file = tmp_path / "found.jsonl"
    wanted = ("--recheck", "0", "--ignore", "other,v[0]", "--ignore", "more.a", "--output", str(file), "--json")
    status, output, errors = end_of(command("verify", pair.settings, *wanted))
    assert (status, json.loads(output)["missing"], errors) == (1, 3, "")
    assert len(file.read_text().splitlines()) == 3
    status, output, errors = end_of(command("verify", pair.settings, "--repair", "--recheck", "0"))
    assert (status, output.count(": repaired")) == (0, 3)
    assert f"table/{pair.destination_table}" in errors
    pair.wait_equal()
    status, output, _ = end_of(command("verify", pair.settings, "--sample", "50%"))
    assert status == 0
    assert "A sample of about 50 %" in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it(number: signal.Signals, pair: Pair) -> None:
    """It says what was found so far, and that this isn't all."""
    pair.put("a")
    with FaultProxy(pair.settings["destinationEndpoint"]) as proxy:
        held = proxy.inject(faults.hold(), "Scan")
        started = command("verify", pair.settings | {"destinationEndpoint": proxy.endpoint}, "--json")
        held.wait()
        started.send_signal(number)
        assert started.stderr is not None
        assert "Stopping; once more ends it at once" in started.stderr.readline()
        held.clear()
        status, output, errors = end_of(started)
    assert status == 128 + number
    assert "Stopped before it was through" in errors
    assert json.loads(output)["complete"] is False
