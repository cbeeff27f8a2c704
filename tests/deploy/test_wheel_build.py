"""The wheel's build refuses jars that are not those of daemon/jars.lock: such a wheel must not exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from processor import __version__
from processor.startup import java
from tests.fakes.machine import installed

_PARTS = (
    "pyproject.toml",
    "hatch_build.py",
    "README.md",
    "LICENSE",
    "requirements.in",
    "daemon/jars.lock",
    "dist/dynamodb-replicator.cdx.json",
)


@pytest.fixture(scope="module", autouse=True)
def builder() -> None:
    """What builds a wheel is installed when the first one is built."""
    installed.built()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of all that a wheel is made of."""
    made = tmp_path / "source"
    for name in _PARTS:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(java.ROOT / name, made / name)
    for name in ("processor", "properties"):
        shutil.copytree(java.ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    (made / "jars").mkdir()
    for path in java.JARS.iterdir():
        if path.suffix in (".jar", ".lst", ".lock"):
            shutil.copy2(path, made / "jars")
    return made


def _build(source: Path) -> tuple[int, str, list[str]]:
    """Exit status, what was said, and the wheels that were made."""
    out = source.parent / "out"
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", out]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr, [path.name for path in out.glob("*")]


def test_its_links_lead_to_the_repository_that_is_named(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of its metadata and of its README, which an index shows; without a name there are none to follow."""
    with monkeypatch.context() as patch:
        patch.setenv("PROJECT_URL", "https://git.example.com/team/replicator")
        _build(source)
    (wheel,) = (source.parent / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        (name,) = [name for name in files.namelist() if name.endswith("/METADATA")]
        made = files.read(name).decode()
    assert f"Project-URL: Changelog, https://git.example.com/team/replicator/blob/v{__version__}/CHANGELOG.md" in made
    assert f"(https://git.example.com/team/replicator/raw/v{__version__}/docs/images/architecture.svg)" in made
    links = re.findall(r"\]\(([^)]+)\)", made.partition("\n\n")[2])
    assert [link for link in links if not link.startswith("https://")] == []
    assert {"License-Expression: Apache-2.0", "Provides-Extra: demo"} <= set(made.splitlines())


def _adapter(source: Path) -> Path:
    (found,) = (source / "jars").glob("dynamodb-streams-kinesis-adapter-*.jar")
    return found


def test_what_is_as_the_lock_has_it_is_built(source: Path) -> None:
    """Else the tests below would show nothing."""
    status, said, made = _build(source)
    assert (status, [name.endswith(".whl") for name in made]) == (0, [True]), said


def _changed(source: Path) -> str:
    """One byte more, where Java would not see it."""
    with _adapter(source).open("ab") as jar:
        jar.write(b"\0")
    return "its SHA-256 is "


def _added(source: Path) -> str:
    """A jar that nobody has looked at."""
    shutil.copy2(_adapter(source), source / "jars" / "helpful-1.0.jar")
    return "helpful-1.0.jar: not in "


def _of_another_lock(source: Path) -> str:
    """The jar is an older one than the lock's."""
    lock = source / "daemon" / "jars.lock"
    version = _adapter(source).stem.rpartition("-")[2]
    lock.write_text(lock.read_text().replace(f"kinesis-adapter:{version}", "kinesis-adapter:99.0.0"))
    return f"{_adapter(source).name}: not in "


@pytest.mark.parametrize("plant", [_changed, _added, _of_another_lock])
def test_jars_that_are_not_the_locks_make_no_wheel(source: Path, plant: Callable[[Path], str]) -> None:
    """The build names the jar and what to do, and leaves nothing behind."""
    words = plant(source)
    status, said, made = _build(source)
    assert (status != 0, made) == (True, [])
    for expected in ("jars/ is not as daemon/jars.lock has it", words, "no wheel is built", "./setup.sh wheel"):
        assert expected in said


@pytest.mark.parametrize("name", ["dynamodb-replicator-daemon.jar", "adapter"])
def test_a_jar_that_is_missing_makes_no_wheel(source: Path, name: str) -> None:
    """Without our daemon class or the streams adapter it could not run."""
    path = _adapter(source) if name == "adapter" else source / "jars" / name
    path.unlink()
    status, said, made = _build(source)
    assert (status != 0, made, "jars/ lacks " in said) == (True, [], True)


def test_without_the_lock_nothing_is_built(source: Path) -> None:
    """What can't be looked at counts as wrong."""
    (source / "daemon" / "jars.lock").unlink()
    status, _, made = _build(source)
    assert (status != 0, made) == (True, [])
