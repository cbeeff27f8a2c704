"""The process that children are forked from, by the words of the daemon."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from processor.replication.lease_term import DIRECTORY
from processor.settings.daemon_files import SETTINGS_VARIABLE, VIEW_FILE, ViewBasis
from tests.fakes.daemon.forked_child import NurseryClient
from tests.fakes.machine.ended import has_ended
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.fakes.task.tasks import task

SHARD_ID = "shardId-00000001700000000000-abcdef01"
INITIALIZE = b'{"action":"initialize","shardId":"%b","sequenceNumber":"TRIM_HORIZON","subSequenceNumber":0}\n'


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[NurseryClient]:
    """One that has begun, of a task whose endpoints are nowhere."""
    (tmp_path / DIRECTORY).mkdir()
    file = tmp_path / "child.json"
    file.write_bytes(msgspec.json.encode(task(destinationEndpoint="http://127.0.0.1:1")))
    made = NurseryClient(tmp_path, {**os.environ, SETTINGS_VARIABLE: str(file)})
    yield made
    made.close()


def test_children_of_one_nursery_are_processes_of_their_own(nursery: NurseryClient) -> None:
    """Each has its own pipes; one that is killed is told with its signal, and the others answer."""
    first, second, third = (nursery.fork(number) for number in (1, 2, 3))
    assert len({first.pid, second.pid, third.pid, nursery.process.pid}) == 4
    second.kill()
    assert second.wait() == -signal.SIGKILL
    for child in (first, third):
        child.stdin.write(INITIALIZE % SHARD_ID.encode())
        child.stdin.flush()
        assert b'"responseFor": "initialize"' in next(line for line in child.stdout if line.strip())
        child.stdin.close()
        assert child.wait() == 0


def test_a_child_has_nothing_of_the_nurserys_open(nursery: NurseryClient) -> None:
    """Its own three pipes, and nothing of its siblings': each would live on in the other's descriptors."""
    first, second = nursery.fork(1), nursery.fork(2)
    own: dict[int, set[str]] = {}

    def have_three_each() -> bool:
        own.update({child.pid: set(_pipes(child.pid)) for child in (first, second)})
        return all(len(pipes) == 3 for pipes in own.values())

    until(have_three_each, "three pipes of each, when both have opened them")
    assert own[first.pid] & own[second.pid] == set()
    assert not any(pipes & set(_pipes(nursery.process.pid)) for pipes in own.values())


def _pipes(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            target = str(descriptor.readlink())
            if "pipe:" in target or "/nursery/" in target:
                yield target


def test_the_nurserys_end_is_no_childs(nursery: NurseryClient) -> None:
    """Killed hard, or by the end of its input: a child goes on until its own input ends."""
    child = nursery.fork(1)
    nursery.process.kill()
    nursery.process.wait(PATIENCE_SECONDS)
    child.stdin.write(INITIALIZE % SHARD_ID.encode())
    child.stdin.flush()
    assert b'"responseFor": "initialize"' in next(line for line in child.stdout if line.strip())
    process = psutil.Process(child.pid)
    child.stdin.close()
    until(lambda: has_ended(process), "the child's end")


def test_no_pipes_lie_about(nursery: NurseryClient) -> None:
    """A begun child's have no names any more, a dropped one's neither, and the folder goes with the nursery."""
    nursery.fork(1).kill()
    nursery.say("child", 2)
    nursery.heard("made", 2)
    nursery.say("drop", 2)
    nursery.fork(3).kill()
    assert list(nursery.folder.iterdir()) == []
    assert nursery.folder.stat().st_mode & 0o777 == 0o700
    nursery.close()
    assert not nursery.folder.exists()


def test_what_can_not_be_forked_is_refused_with_the_reason(nursery: NurseryClient) -> None:
    """No ends of the daemon's, no folder, a name that is taken; the next one is made."""
    nursery.say("child", 1)
    nursery.heard("made", 1)
    nursery.say("open", 1, nursery.settings)
    assert nursery.heard("refused", 1) == ["No", "such", "device", "or", "address"]
    shutil.rmtree(nursery.folder)
    nursery.say("child", 2)
    assert nursery.heard("refused", 2) == ["No", "such", "file", "or", "directory"]
    nursery.folder.mkdir()
    (nursery.folder / "3.out").touch()
    nursery.say("child", 3)
    assert nursery.heard("refused", 3) == ["File", "exists"]
    nursery.fork(4).kill()


def test_signals_to_the_group_are_the_daemons(nursery: NurseryClient) -> None:
    """SIGINT and SIGTERM end neither the nursery nor a child that has not begun its work."""
    child = nursery.fork(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        nursery.process.send_signal(number)
        child.send_signal(number)
    nursery.fork(2).kill()
    child.stdin.close()
    assert child.wait() == 0


def test_a_killed_childs_number_reaches_nobody_else(nursery: NurseryClient) -> None:
    """A signal is told by the child's number: once it has ended, its process id may be anybody's."""
    child = nursery.fork(1)
    child.kill()
    child.wait()
    nursery.say("kill", 1, int(signal.SIGKILL))
    nursery.fork(2).kill()
    assert nursery.process.poll() is None


def test_what_a_transform_begins_when_it_is_imported_is_no_child(tmp_path: Path) -> None:
    """Its end is nobody's news, and the nursery goes on."""
    transforms = tmp_path / "transforms"
    transforms.mkdir(0o700)
    module = transforms / "beginning_guest.py"
    module.write_text("import subprocess\nBEGUN = subprocess.Popen(['true'])\ndef view(item): return item\n")
    settings = task(
        destinationEndpoint="http://127.0.0.1:1", transform="beginning_guest:view", transformPath=str(transforms)
    )
    file = tmp_path / "child.json"
    for path, content in ((file, settings), (tmp_path / VIEW_FILE, ViewBasis(key_types={"id": "S"}, digest=""))):
        path.write_bytes(msgspec.json.encode(content))
        path.chmod(0o600)
    nursery = NurseryClient(tmp_path, {**os.environ, SETTINGS_VARIABLE: str(file)})
    try:
        nursery.say("task", file)
        nursery.fork(1).kill()
        until(lambda: not _zombies(nursery.process.pid), "what the transform has begun is over")
        nursery.fork(2).kill()
    finally:
        nursery.close()


def _zombies(pid: int) -> list[psutil.Process]:
    return [each for each in psutil.Process(pid).children() if each.status() == psutil.STATUS_ZOMBIE]
