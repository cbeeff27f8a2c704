"""Where a checkout and a wheel have their files, and what pip is told that the wheel needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from processor.startup import java
from processor.system import program

PYPROJECT = (java.ROOT / "pyproject.toml").read_text()


def test_a_checkout_keeps_its_logs_beside_run_sh() -> None:
    """Wherever it is started from, and whatever the environment says."""
    assert program.log_directory({"XDG_STATE_HOME": "/elsewhere"}) == java.ROOT / "logs"
    assert (java.ROOT / program.COMMAND).is_file()


@pytest.mark.parametrize(
    ("named", "expected"), [("", "/home/me/.local/state"), ("/s", "/s"), ("relative", "/home/me/.local/state")]
)
def test_a_wheel_keeps_them_with_the_users_state(named: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The XDG specification's folder; a relative path in its variable does not count."""
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    found = program.log_directory({"XDG_STATE_HOME": named}, installed=True)
    assert Path(expected) / "dynamodb-replicator" == found


def test_an_account_without_a_home_has_a_place_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user may have no name, and so no home."""

    def no_home() -> Path:
        message = "Could not determine home directory."
        raise RuntimeError(message)

    monkeypatch.setattr(Path, "home", no_home)
    assert Path("/var/lib/dynamodb-replicator") == program.log_directory({}, installed=True)


def test_the_wheel_is_built_by_what_is_pinned() -> None:
    """The build backend of pyproject.toml is the one whose hash requirements-build.lock has."""
    backend = re.search(r'^requires = \["(.+)"\]', PYPROJECT, re.MULTILINE)
    assert backend is not None
    assert f"{backend[1]} " in (java.ROOT / "requirements-build.lock").read_text()
