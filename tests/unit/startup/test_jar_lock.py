"""The daemon's jars are those of daemon/jars.lock, byte for byte, or are refused with words."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from processor.commands.check import command as check
from processor.startup import jar_lock, java

PROGRAM = java.ROOT / "processor" / "startup" / "jar_lock.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two jars, one of them ours, and a lock of the other."""
    made = tmp_path / "jars"
    made.mkdir()
    (made / "one-1.0.jar").write_bytes(b"one")
    (made / jar_lock.OURS).write_bytes(b"whatever was compiled")
    digest = hashlib.sha256(b"one").hexdigest()
    (tmp_path / "jars.lock").write_text(f"# words\ngroup:one:1.0 {digest}\n")
    return made


def changed(folder: Path) -> None:
    """Other bytes."""
    (folder / "one-1.0.jar").write_bytes(b"One")


def unknown(folder: Path) -> None:
    """One more."""
    (folder / "two-1.0.jar").write_bytes(b"two")


def missing(folder: Path) -> None:
    """One less."""
    (folder / "one-1.0.jar").unlink()


def test_what_is_as_it_should_be(folder: Path) -> None:
    """Passes; our own jar has no hash that could be known."""
    assert list(jar_lock.differences(folder.parent / "jars.lock", [folder], whole=True)) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(changed, "its SHA-256 is "), (unknown, "not in "), (missing, ", and nowhere else")],
)
def test_each_difference_is_said(spoil: Callable[[Path], None], said: str, folder: Path) -> None:
    """With the jar's name."""
    spoil(folder)
    ((jar, what),) = jar_lock.differences(folder.parent / "jars.lock", [folder], whole=True)
    assert "-1.0.jar" in jar
    assert said in what


def test_as_a_program(tmp_path: Path) -> None:
    """It needs nothing of the package, and ends with 22 where a jar is not one of the lock's."""
    copy = tmp_path / "processor" / "startup" / "jar_lock.py"
    (tmp_path / "daemon").mkdir()
    copy.parent.mkdir(parents=True)
    copy.write_bytes(PROGRAM.read_bytes())
    lock = tmp_path / "daemon" / "jars.lock"
    lock.write_bytes((java.ROOT / "daemon" / "jars.lock").read_bytes())
    command = [sys.executable, "-I", copy, "--whole", *java.folders()]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    lock.write_text(lock.read_text().replace("kinesis-client:3", "kinesis-client:4"))
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 22
    assert "amazon-kinesis-client-3.1.3.jar: not in" in ended.stderr
    assert "Fetch it anew" in ended.stderr
    lock.unlink()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, "can't be held against" in ended.stderr) == (22, True)


def test_check_looks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not as it should be is a finding of check, to be put right by a person."""
    changed(folder)
    monkeypatch.setattr(java, "folders", lambda: [folder])
    monkeypatch.setattr(jar_lock, "find", lambda: folder.parent / "jars.lock")
    (finding,) = check._jars()
    assert (finding.severity, finding.cause, str(folder) in finding.object) == ("error", "setup", True)
