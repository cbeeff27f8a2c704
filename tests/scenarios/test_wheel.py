"""The wheel: the same commands, with no checkout, and as a container would run them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from processor.startup import java
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine import contained, installed
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair


@pytest.fixture(scope="module")
def wheel() -> Path:
    """As users build it."""
    return installed.built()


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command."""
    return installed.install(wheel, tmp_path_factory.mktemp("installed") / "an environment")


def _run(command: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command, *arguments], cwd="/", env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_it_brings_its_jars_and_nothing_of_the_tests(wheel: Path) -> None:
    """Jars, the console's page, log configuration and templates are inside; tests and DynamoDB Local are not."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith(".py")}
    inside = {name.removeprefix("processor/") for name in names if name.startswith("processor/")}
    ours = {f"jars/{path.name}" for path in java.JARS.glob("*.jar")}
    page = java.ROOT / "processor" / "commands" / "console" / "static"
    others = {f"commands/console/static/{path.name}" for path in page.iterdir()}
    others |= {"jars/classes.lst", "jars/jars.lock", "properties/logback.xml"}
    others |= {f"properties/{name}.properties" for name in ("replication", "trial", "demo")}
    assert ours | others == inside
    assert "jars/dynamodb-replicator-daemon.jar" in ours
    sources = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    assert {
        f"processor/{path.relative_to(java.ROOT / 'processor')}" for path in java.ROOT.glob("processor/**/*.py")
    } == sources


def test_it_needs_what_a_checkout_installs(wheel: Path) -> None:
    """Pip is told the lines of requirements.in, version for version."""
    with zipfile.ZipFile(wheel) as files:
        (metadata,) = [files.read(name).decode() for name in files.namelist() if name.endswith("/METADATA")]
    told = re.findall(r"^Requires-Dist: (\S+)$", metadata, re.MULTILINE)  # those of extras have words behind them
    wanted = [line.split("#")[0].strip() for line in (java.ROOT / "requirements.in").read_text().splitlines()]
    assert [str(Requirement(line)) for line in told] == [str(Requirement(line)) for line in wanted if line]


def test_it_calls_itself_by_its_own_name(command: Path) -> None:
    """Usage and errors name the command that was typed, and the template that is there."""
    usage = _run(command, "--help").stdout
    assert ("usage: dynamodb-replicator [COMMAND]" in usage, "run.sh" in usage) == (True, False)
    nothing = _run(command)
    assert (nothing.returncode, nothing.stderr.startswith("dynamodb-replicator: ")) == (22, True)
    assert Path(nothing.stderr.split("Copy ")[1].split(", fill in")[0]).read_text().startswith("# Template")


def test_its_demo_needs_no_checkout(command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing but a new user's empty home: on moto's server, which is said, until both tables are equal."""
    monkeypatch.delenv("REPLICATION_DEMO_SERVER", raising=False)  # tests on moto's server set it for every demo
    environment = {"HOME": str(tmp_path), "XDG_STATE_HOME": ""}
    demo = _run(command, "--demo", "--demoSeconds", "2", **environment)
    assert demo.returncode == 0, demo.stderr
    assert "A wheel brings no DynamoDB Local: the demo takes moto's server" in demo.stderr
    assert re.search(r"The tables are equal: all [1-9]\d* writes are at the destination\.", demo.stdout)
    assert f"Logs are in {tmp_path}/.local/state/dynamodb-replicator/demo" in demo.stdout


def test_children_that_would_not_find_it_are_said_before_the_start(command: Path, pair: Pair) -> None:
    """Where it is found only through PYTHONPATH (or the user's packages), check says so: children look into neither."""
    packages = next(command.parent.parent.glob("lib/python*/site-packages"))
    given = [part for name, value in pair.settings.items() for part in (f"--{name}", value)]
    program = "import sys; from processor.cli.main import console; sys.exit(console())"
    found = subprocess.run(
        [Path(sys.base_prefix) / "bin" / "python3", "-c", program, "check", *given],
        env={**os.environ, "PYTHONPATH": f"{packages}:{(packages / 'dependencies.pth').read_text().strip()}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, "Install into an environment of its own" in found.stderr) == (22, True), found.stderr


def test_it_replicates_as_a_container_would_run_it(
    command: Path, pair: Pair, replicator: Callable[..., Replicator], tmp_path: Path
) -> None:
    """As process 1, as a user without rights, on a read-only root: ready, replicating, healthy, and 0 after SIGTERM."""
    if not contained.possible():
        pytest.skip("this machine makes no namespaces for us")
    run = contained.script(tmp_path / "contained", command)
    container = replicator(pair.settings, name="container", root=run.parent)
    container.log_directory.mkdir()
    os.chown(container.log_directory, contained.USER, contained.USER)
    state = {"STATE": str(container.log_directory), "HOME": "/nonexistent"}
    file = container.folder / "replication.properties"

    ready = _run(run, "check", file, **state)
    assert (ready.returncode, ready.stderr) == (0, "")
    pair.put("before")
    container.start(environment=state)
    pair.wait_for("before")
    first = contained.first_process(container.process.pid)
    assert {contained.USER} == {each.uids().effective for each in (first, *container.children())}
    assert container.children()
    status = ("status", file, "--maxLagSeconds", "3600")
    until(lambda: _run(run, *status, **state).returncode == 0, "a healthy task")
    first.send_signal(signal.SIGTERM)
    assert container.wait() == 0, container.console
    assert not [line for line in container.console.splitlines() if "ead-only" in line or "ermission" in line]
