"""The copy of the checkout that a bug is planted in."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from processor.startup import java
from tests.fakes.machine.planted import planted_checkout

_PROGRAM = (
    "import amazon_kclpy, processor.errors as e, processor.startup.java as j; print(e.__file__, j.ROOT, j.class_path())"
)


def test_the_copy_runs_its_own_code_on_the_checkout_s_packages(tmp_path: Path) -> None:
    """Its interpreter imports the edited processor, finds kclpy, and knows the copy as its root."""
    root = planted_checkout(
        tmp_path / "a copy", {"processor/errors.py": ("from __future__ import annotations\n", "PLANTED = 1\n")}
    )
    found = subprocess.run(
        [root / ".venv/bin/python3", "-I", "-c", _PROGRAM], capture_output=True, text=True, check=True, cwd="/"
    ).stdout
    assert found.startswith(f"{root}/processor/errors.py {root} ")
    assert f":{java.JARS}/dynamodb-replicator-daemon.jar" in found  # as the class archive knows it
    help_text = subprocess.run(
        [root / "run.sh", "help", "settings"], capture_output=True, text=True, check=True, cwd="/"
    ).stdout
    assert "sourceTable" in help_text
    assert "PLANTED" not in (java.ROOT / "processor/errors.py").read_text()


def test_an_edited_class_is_in_a_jar_of_the_copy_s(tmp_path: Path) -> None:
    """All else of the jar is the checkout's."""
    name = "daemon/src/main/java/replicator/process/Exit.java"
    root = planted_checkout(tmp_path / "copy", {name: ("final class Exit {", "final class Exit { int planted = 77;")})
    with (
        zipfile.ZipFile(root / "jars/dynamodb-replicator-daemon.jar") as made,
        zipfile.ZipFile(java.JARS / "dynamodb-replicator-daemon.jar") as ours,
    ):
        assert set(made.namelist()) == set(ours.namelist())
        changed = [each for each in ours.namelist() if made.read(each) != ours.read(each)]
        assert all(each.startswith("replicator/process/Exit") for each in changed)
        assert any(b"planted" in made.read(each) for each in changed)
    assert not (java.ROOT / name).read_text().count("planted")


@pytest.mark.parametrize("old", ["no such text", "import"])
def test_a_text_that_is_not_there_exactly_once_is_refused(tmp_path: Path, old: str) -> None:
    """Otherwise a bug would silently no longer be planted once the code has changed."""
    with pytest.raises(AssertionError, match="instead of once"):
        planted_checkout(tmp_path / "copy", {"processor/errors.py": (old, "anything")})
