"""Which slot a daemon takes, for how long, and where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.errors import SetupError
from processor.startup.slot import claim_slot
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.task.tasks import task


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Descriptors of the slots claimed in this process, which end with the test."""
    made: list[int] = []
    inherit = os.set_inheritable

    def keep(descriptor: int, inheritable: bool) -> None:  # noqa: FBT001  # os's signature
        made.append(descriptor)
        inherit(descriptor, inheritable)

    monkeypatch.setattr(os, "set_inheritable", keep)
    yield made
    for descriptor in made:
        os.close(descriptor)


def test_daemons_of_one_task_have_slots_of_their_own(tmp_path: Path, locked: list[int]) -> None:
    """Two living daemons never share directory or worker id, and a slot is free again when its holder has ended."""
    settings = task(logDirectory=str(tmp_path), taskName="t")
    first, second = claim_slot(settings), claim_slot(settings)
    assert [tmp_path / "t", tmp_path / "t" / "daemon-2"] == [first.directory, second.directory]
    assert first.worker_id != second.worker_id
    os.close(locked.pop(0))
    assert first.worker_id == claim_slot(settings).worker_id
    assert claim_slot(task(logDirectory=str(tmp_path), taskName="u")).worker_id not in {
        first.worker_id,
        second.worker_id,
    }


def test_a_slot_is_held_through_exec(tmp_path: Path, locked: list[int]) -> None:
    """The lock goes on with the program that this process becomes, and ends with that."""
    settings = task(logDirectory=str(tmp_path), taskName="t")
    claim_slot(settings)
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, close_fds=False, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as heir:
        assert heir.stdout is not None
        heir.stdout.readline()
        os.close(locked.pop())
        assert claim_slot(settings).number == 1
        heir.communicate(b"\n", timeout=PATIENCE_SECONDS)
    assert claim_slot(settings).number == 0


def test_a_slot_whose_task_still_runs_is_not_free(tmp_path: Path, locked: list[int]) -> None:
    """The keeper that claimed it has ended, and the JVM holds it by a lock of POSIX's until the next one claims it."""
    settings = task(logDirectory=str(tmp_path), taskName="t")
    slot = claim_slot(settings)
    os.close(locked.pop())
    lock = f"import fcntl; f = open({str(slot.directory / 'daemon.lock')!r}, 'r+'); fcntl.lockf(f, fcntl.LOCK_EX)"
    command = [sys.executable, "-c", f"{lock}; print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as jvm:
        assert jvm.stdout is not None
        jvm.stdout.readline()
        assert claim_slot(settings).number == 1
        assert claim_slot(settings, directory=slot.directory).number == 0
        jvm.communicate(b"\n", timeout=PATIENCE_SECONDS)
    os.close(locked.pop())
    assert claim_slot(settings).number == 0


def test_a_log_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Where logs and locks can't be written nothing starts, and the setting to change is named."""
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="Set logDirectory"):
        claim_slot(task(logDirectory=str(tmp_path / "file")))
