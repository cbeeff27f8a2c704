"""The file of ``verify --output``."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from processor.commands.verify.report import OutputFile
from processor.errors import OutputError, StoppedError


@pytest.fixture
def pipe(tmp_path: Path) -> tuple[Path, int]:
    """A named pipe that others may write, and its reader."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    path.chmod(0o622)
    return path, os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_its_owners(tmp_path: Path) -> None:
    """Whoever made it."""
    path = tmp_path / "keys"
    path.write_text("before")
    path.chmod(0o644)
    with OutputFile(path) as file:
        file.write(b"line\n")
    assert (path.read_bytes(), _mode(path)) == (b"line\n", 0o600)


def test_what_is_no_file_keeps_its_mode(pipe: tuple[Path, int]) -> None:
    """A pipe, or a device, is not made for this."""
    path, reader = pipe
    with OutputFile(path) as file:
        file.write(b"line\n")
        assert os.read(reader, 100) == b"line\n"
    os.close(reader)
    assert _mode(path) == 0o622


def _write_in_vain(path: Path, reader: int, *, then: Exception | None = None) -> None:
    with OutputFile(path) as file:
        os.close(reader)
        try:
            file.write(b"line\n")
        except OutputError as exc:
            raise then or exc from exc


def test_a_file_that_takes_no_more_is_said(pipe: tuple[Path, int]) -> None:
    """With its name, and where the counts are."""
    with pytest.raises(OutputError, match=f"--output {pipe[0]}: can't be written any more") as caught:
        _write_in_vain(*pipe)
    assert caught.value.exit_status == 5
    assert "standard output has the counts" in str(caught.value)


def test_what_else_went_wrong_is_not_hidden(pipe: tuple[Path, int]) -> None:
    """What ended the comparison is what is said."""
    with pytest.raises(StoppedError):
        _write_in_vain(*pipe, then=StoppedError())
