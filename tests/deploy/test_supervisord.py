"""deploy/supervisord.conf under a real supervisord, with a stand-in for the command."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.test_deploy import DEPLOY
from tests.fakes.patience import until

# Its first two runs fail as a replication does; the third runs until SIGTERM; the fourth is not ready.
_STAND_IN = """#!/bin/sh
echo run >> "{folder}/runs"
case $(grep -c run "{folder}/runs") in
    1|2) exit 5 ;;
    3) trap 'echo asked to end >> "{folder}/runs"; exit 0' TERM
       echo ready >> "{folder}/runs"
       while true; do sleep 0.1; done ;;
    *) exit 22 ;;
esac
"""
_AROUND = """[unix_http_server]
file={folder}/socket
[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/pid
nodaemon=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/socket
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a name short enough for a socket."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def _control(folder: Path, *words: str) -> str:
    command = [Path(sys.executable).parent / "supervisorctl", "-c", folder / "supervisord.conf", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_a_failure_is_started_again_and_what_is_not_ready_is_not(folder: Path) -> None:
    """5 is restarted, SIGTERM lets it end by itself, and 22 leaves it down after a single try."""
    stand_in, runs = folder / "stand-in", folder / "runs"
    stand_in.write_text(_STAND_IN.format(folder=folder))
    stand_in.chmod(0o755)
    ours = (DEPLOY / "supervisord.conf").read_text()
    for name, value in (("command", str(stand_in)), ("stdout_logfile", str(folder / "console.log"))):
        ours, count = re.subn(rf"^{name}=.*$", f"{name}={value}", ours, flags=re.MULTILINE)
        assert count == 1
    ours = re.sub(r"^user=.*\n", "", ours, flags=re.MULTILINE)
    (folder / "supervisord.conf").write_text(_AROUND.format(folder=folder) + ours)
    command = [Path(sys.executable).parent / "supervisord", "-c", folder / "supervisord.conf"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as supervisord:
        try:
            until(lambda: runs.exists() and "ready" in runs.read_text(), "the third run")
            assert runs.read_text() == "run\nrun\nrun\nready\n"
            assert "stopped" in _control(folder, "stop", "dynamodb-replicator-orders")
            assert runs.read_text().endswith("asked to end\n")
            _control(folder, "start", "dynamodb-replicator-orders")
            until(lambda: "EXITED" in _control(folder, "status"), "its end")
            assert runs.read_text().count("run\n") == 4
        finally:
            supervisord.terminate()
