"""An installation that other users of the machine could change."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy import proof
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine import installed
from tests.fakes.machine.other_user import give_away
from tests.scenarios.conftest import Pair


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """One with the wheel in it."""
    folder = tmp_path / "environment"
    installed.install(installed.built(), folder)
    return folder


def _plant_by_all(package: Path) -> str:
    """As ``chmod -R 777`` leaves it."""
    (package / "jars").chmod(0o777)
    return f"{package / 'jars'} can be written by every user (mode 0777)"


def _plant_of_another(package: Path) -> str:
    """A module that somebody else has put there, when he could."""
    (package / "helpful.py").write_text("")
    whose = give_away(package / "helpful.py")
    return whose if whose.startswith("can be") else f"{package / 'helpful.py'} belongs to {whose}"


@pytest.mark.parametrize("plant", [_plant_by_all, _plant_of_another])
def test_nothing_is_started_from_what_others_could_change(
    environment: Path,
    pair: Pair,
    replicator: Callable[..., Replicator],
    tmp_path: Path,
    plant: Callable[[Path], str],
) -> None:
    """``check`` and a start end with 22 and say what is wrong; once it is put right, it replicates."""
    (package,) = environment.glob("lib/python*/site-packages/processor")
    command = environment / "bin" / "dynamodb-replicator"
    run = proof.front_door(tmp_path / "front", command)
    given = [part for name, value in pair.settings.items() for part in (f"--{name}", value)]

    def checked() -> tuple[int, str]:
        done = subprocess.run([command, "check", *given], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    assert checked() == (0, "")
    words = plant(package)
    status, said = checked()
    assert (status, words in said, "run programs as this user" in said) == (22, True, True), said
    running = replicator(pair.settings, root=run.parent)
    running.start()
    assert running.wait() == 22
    assert words in running.console
    assert not running.log_directory.joinpath(pair.settings["taskName"], "daemon.properties").exists()
    (package / "jars").chmod(0o755)
    (package / "helpful.py").unlink(missing_ok=True)
    with running:
        pair.put("a")
        pair.wait_for("a")
        assert running.stop() == 0
