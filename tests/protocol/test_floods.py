"""What answers without an end do to the memory of a child and of a command: little."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from processor.startup import java
from tests.conftest import REGION
from tests.fakes.network.flood_server import ANSWERS, FloodServer
from tests.fakes.patience import until
from tests.fakes.streams.stream_record import insert
from tests.protocol.conftest import Start, items

# What docs/threat-model.md promises.
MOST_BYTES = 100 * 1024 * 1024
THREADS = 80
# A round trip for which all threads are wanted.
FAR_SECONDS = 0.1
# Of each answer, so many.
EACH = 6
CODES = {"AnswerTooLarge", "NotDynamoDB", "ConnectionClosedError", "ReadTimeoutError", "400"}
BATCH = [insert(number, each) for number, each in enumerate(items(300))]
_CODE = re.compile(r" error=(\S+)")
_PEAK = re.compile(r"VmHWM:\s*(\d+) kB")


def _peak_bytes(pid: int) -> int:
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def test_a_child(start: Start) -> None:
    """Eighty calls at once, each flooded: said as any outage is, tried again, and done when that is over."""
    with FloodServer(good_seconds=FAR_SECONDS, gather=THREADS - 5) as server:
        daemon = start("copy", destinationEndpoint=server.endpoint, writeMode="item", applyThreads=str(THREADS))
        for number in range(1, 4):  # the third knows how far the destination is
            daemon.apply(*[insert(number * 1000 + each, given) for each, given in enumerate(items(3))])
        idle = _peak_bytes(daemon.child.pid)
        server.flooding.set()
        daemon.send_records(*BATCH)
        until(lambda: min([server.answered[name] for name in ANSWERS]) >= EACH, "enough answers")
        grown = _peak_bytes(daemon.child.pid) - idle
        assert daemon.child.poll() is None
        said = {code for line in daemon.events("writes_delayed") for code in _CODE.findall(line)}
        assert said
        assert said <= CODES
        server.flooding.clear()
        daemon.expect_checkpoint(BATCH[-1].sequence_number)
        daemon.answer_checkpoint()
        daemon.expect_done("processRecords")
    assert server.most_at_once >= THREADS - 5
    assert grown < MOST_BYTES, f"{grown / 1e6:.0f} MB"


def _status_bytes(endpoint: str, folder: Path) -> tuple[int, int, str]:
    """Exit status, most memory, and what was said, of ``status`` where this endpoint is everything."""
    settings = {
        "sourceRegion": REGION,
        "sourceTable": "source",
        "sourceEndpoint": endpoint,
        "destinationRegion": REGION,
        "destinationTable": "copy",
        "destinationEndpoint": endpoint,
        "logDirectory": str(folder),
    }
    given = [f"--{name}={value}" for name, value in settings.items()]
    with (folder / "said").open("w+") as said:
        started = subprocess.Popen(
            [sys.executable, "-m", "processor", "status", *given], cwd=java.ROOT, stdout=said, stderr=said
        )
        most = 0
        while started.poll() is None:
            with contextlib.suppress(OSError, AssertionError):  # it has just ended
                most = max(most, _peak_bytes(started.pid))
            time.sleep(0.002)
        said.seek(0)
        return started.returncode, most, said.read()


@pytest.mark.parametrize("begin", range(0, len(ANSWERS), 3))
def test_status(begin: int, tmp_path: Path) -> None:
    """Every call of a command that reads only, flooded: it ends with 5 and says why."""
    _, idle, _ = _status_bytes("http://127.0.0.1:1", tmp_path)
    with FloodServer(begin=begin) as server:
        server.flooding.set()
        code, most, said = _status_bytes(server.endpoint, tmp_path)
    assert code == 5, said
    assert "Traceback" not in said
    assert most - idle < MOST_BYTES, f"{(most - idle) / 1e6:.0f} MB"
