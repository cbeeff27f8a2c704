"""Which tasks read which streams on this machine, by the daemons' own files and locks."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from processor.startup import stream_readers
from processor.system import held_locks

pytestmark = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="Linux alone lists its locks")


def _daemon(folder: Path, *, stream: str, task: str) -> None:
    folder.mkdir(parents=True)
    (folder / "daemon.lock").touch()
    (folder / "daemon.properties").write_text(
        f"sourceStreamArn={stream.replace(':', chr(92) + ':')}\napplicationName={task}\n"
    )


@contextmanager
def _alive(*folders: Path) -> Iterator[None]:
    opened = [os.open(folder / "daemon.lock", os.O_RDWR) for folder in folders]
    for descriptor in opened:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
    for descriptor in opened:
        os.close(descriptor)


def test_daemons_that_live_are_known_by_their_streams(tmp_path: Path) -> None:
    """A task counts once; one whose daemon is gone, and one whose files can't be read, don't count."""
    for folder, stream, task in (
        ("a", "arn:1", "table-a"),
        ("a/daemon-2", "arn:1", "table-a"),
        ("b", "arn:1", "table-b"),
        ("b/daemon-2", "arn:1", "table-b"),
        ("c", "arn:2", "table-c"),
        ("gone", "arn:1", "table-gone"),
        ("damaged", "arn:1", "table-damaged"),
    ):
        _daemon(tmp_path / folder, stream=stream, task=task)
    (tmp_path / "damaged" / "daemon.properties").unlink()
    alive = [tmp_path / name for name in ("a", "a/daemon-2", "b/daemon-2", "c", "damaged")]
    with _alive(*alive):
        found = stream_readers.on_this_machine(tmp_path)
        assert stream_readers.on_this_machine(tmp_path, besides=os.getpid()) == {}
    assert found == {"arn:1": {"table-a", "table-b"}, "arn:2": {"table-c"}}
    assert stream_readers.on_this_machine(tmp_path) == {}
    assert stream_readers.on_this_machine(tmp_path / "none") == {}


def test_looking_takes_no_lock(tmp_path: Path) -> None:
    """A daemon that starts at that moment must get the first slot all the same."""
    file = tmp_path / "locks"
    file.write_text(
        "1: FLOCK  ADVISORY  WRITE 9 fe:00:17 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 8 fe:00:18 0 EOF\n"
        "2: POSIX  ADVISORY  READ 9 fe:00:19 0 EOF\nrubbish\n"
    )
    assert held_locks.inodes(file) == {17}
    assert held_locks.inodes(tmp_path / "none") == set()
