"""Dead letters in a file that several processes append to and clear."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from processor.errors import DeadLetterError
from processor.replication.dead_letters import file_store
from processor.replication.dead_letters.file_store import LetterFile, append_line
from processor.replication.dead_letters.letter import encode
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.task.letters import letter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the letters are."""
    return tmp_path / "letters.jsonl"


def _keys(path: Path) -> list[str]:
    return [found.heading.sequence_number if found.heading else "?" for found in LetterFile(path).entries()]


def test_only_the_owner_may_read_them(path: Path) -> None:
    """The file holds whole items, so it has mode 0600."""
    LetterFile(path).put(letter("a"))
    assert oct(0o600) == oct(path.stat().st_mode & 0o777)


def test_a_letter_is_on_disk_when_put_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint may pass a change only when its letter would survive a loss of power."""
    synced: list[tuple[str, bytes]] = []

    def sync(descriptor: int) -> None:
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), path.read_bytes()))

    monkeypatch.setattr(os, "fsync", sync)
    append_line(path, b"whole")
    assert [(str(path), b"whole\n"), (str(path.parent), b"whole\n")] == synced


def test_a_torn_line_spoils_no_other(path: Path) -> None:
    """A line that a crash cut short stays a line of its own."""
    path.write_bytes(b'{"torn":')
    append_line(path, b"{}")
    append_line(path, b"{}")
    assert path.read_bytes() == b'{"torn":\n{}\n{}\n'


def _together(*actions: Callable[[], None]) -> None:
    threads = [threading.Thread(target=action, daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_a_full_disk_is_left_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard tries again every minute: what is left of each attempt would be counted as one more letter."""
    written = os.write

    def write(descriptor: int, data: memoryview) -> int:
        if len(data) > 5:
            return written(descriptor, data[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    synced: list[int] = []
    for before in (b"", b"{}\n"):
        with monkeypatch.context() as full:
            full.setattr(os, "write", write)
            for _ in range(3):
                with pytest.raises(OSError, match="No space"):
                    append_line(path, b"[1,2,3,4]")
        assert path.read_bytes() == before
        synced.clear()
        with monkeypatch.context() as empty:
            empty.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
            append_line(path, b"{}")
        assert synced == [path.stat().st_ino, *([] if before else [path.parent.stat().st_ino])]


def test_writers_do_not_mix_their_lines(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several children append to one file, each line as a whole, even where the system writes it in pieces."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:7]))

    def append(name: str) -> Callable[[], None]:
        return lambda: [append_line(path, name.encode() * 50) for _ in range(20)] and None

    _together(*map(append, "abcd"))
    lines = path.read_text().splitlines()
    assert dict.fromkeys("abcd", 20) == {name: lines.count(name * 50) for name in "abcd"}
    assert len(lines) == 80


def test_what_is_no_letter_is_named_by_its_line(path: Path) -> None:
    """Torn and foreign lines are entries with a place and a problem, which shows nothing of what they hold."""
    store = LetterFile(path)
    store.put(letter("a", number=1))
    with path.open("ab") as file:
        file.write(b'\n{"torn": "secret\n["secret"]\n{"key": {"id": {"S": "secret"}}}\n')
        file.write(encode(letter("a", number=1)).replace(b'"1000', b'"secret'))
    store.put(letter("b", number=2))
    found = list(store.entries())
    assert [int(entry.place.removeprefix(f"{path}:")) for entry in found] == [1, 3, 4, 5, 6, 7]
    assert [entry.heading is None for entry in found] == [False, True, True, True, True, False]
    assert not any("secret" in entry.problem for entry in found)
    assert all(entry.problem for entry in found[1:5])


def test_no_file_is_no_letters(path: Path) -> None:
    """A file that was never needed is not there; nothing of it can be read or removed."""
    assert list(LetterFile(path).entries()) == []
    elsewhere = LetterFile(path.with_name("other"))
    elsewhere.put(letter("a"))
    assert LetterFile(path).remove(list(elsewhere.entries())) == 0
    assert not path.exists()


def test_only_what_was_read_is_removed(path: Path) -> None:
    """Removing takes these lines out and leaves every other byte as it was, with torn lines and new letters."""
    store = LetterFile(path)
    for name in "abc":
        store.put(letter(name))
    entries = list(store.entries())
    append_line(path, b'{"torn":')
    store.put(letter("a", number=9))
    before = path.read_bytes().splitlines(keepends=True)
    path.chmod(0o640)
    assert store.remove([entries[0], entries[2]]) == 2
    assert path.read_bytes() == b"".join([before[1], before[3], before[4]])
    assert oct(0o640) == oct(path.stat().st_mode & 0o777)
    assert [path] == list(path.parent.iterdir())


def test_removing_twice_removes_once(path: Path) -> None:
    """Letters that another run removed meanwhile are none of this one's business."""
    store = LetterFile(path)
    store.put(letter("a"))
    entries = list(store.entries())
    assert (store.remove(entries), store.remove(entries)) == (1, 0)
    assert path.read_bytes() == b""


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    """The file behind a symbolic link is cleared where it is."""
    link = tmp_path / "link"
    link.symlink_to(path)
    store = LetterFile(link)
    store.put(letter("a"))
    store.remove(list(store.entries()))
    assert link.is_symlink()
    assert path.read_bytes() == b""


def test_nothing_is_lost_to_writers_and_removers_at_once(path: Path) -> None:
    """While two remove and three append, every line ends up in the file once, or removed."""
    letters = {f"{name}-{number}": letter(f"{name}-{number}") for name in "abc" for number in range(60)}
    removed: list[bytes] = []
    done = threading.Event()

    def append(name: str) -> Callable[[], None]:
        return lambda: [LetterFile(path).put(letters[f"{name}-{n}"]) for n in range(60)] and None

    def clear() -> None:
        store = LetterFile(path)
        while not done.is_set():
            some = list(store.entries())[::2]
            for entry in some:
                assert entry.heading is not None
                if store.remove([entry]):
                    removed.append(bytes(entry.heading.key))

    removers = [threading.Thread(target=clear, daemon=True) for _ in range(2)]
    for remover in removers:
        remover.start()
    _together(*map(append, "abc"))
    done.set()
    for remover in removers:
        remover.join(timeout=PATIENCE_SECONDS)
    left = [bytes(entry.heading.key) for entry in LetterFile(path).entries() if entry.heading]
    assert sorted(bytes(each.key) for each in letters.values()) == sorted(removed + left)


@pytest.mark.parametrize("step", ["fsync", "replace", "fchmod"])
def test_a_crash_while_removing_loses_nothing(path: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever removing ends half-way, all letters are still there, and the next one goes through."""
    store = LetterFile(path)
    for name in "abc":
        store.put(letter(name))
    before, entries = path.read_bytes(), list(store.entries())

    class Crash(BaseException):
        """No code of ours may catch it."""

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Path if step == "replace" else os, step, crash)
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # no clearing up either
        with pytest.raises(Crash):
            store.remove(entries[:1])
    assert before == path.read_bytes()
    assert store.remove(entries[:1]) == 1
    assert _keys(path) == [found.heading.sequence_number for found in entries[1:] if found.heading]


def test_what_cannot_be_removed_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new file can't be made, the old one stays, and the error has the remedy."""
    store = LetterFile(path)
    store.put(letter("a"))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "fchmod", refuse)
    with pytest.raises(DeadLetterError, match=r"None of them is lost\. Run this as the file's owner"):
        store.remove(list(store.entries()))
    assert len(_keys(path)) == 1


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A folder where the file should be is an error that names it."""
    with pytest.raises(DeadLetterError, match=str(tmp_path)):
        list(LetterFile(tmp_path).entries())


def test_an_append_that_waited_for_a_removal_goes_to_the_new_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that opened the old file just before it was replaced writes to the new one."""
    store = LetterFile(path)
    store.put(letter("a"))
    flock, entries, late = file_store.fcntl.flock, list(store.entries()), letter("late", number=7)

    def replaced_meanwhile(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(file_store.fcntl, "flock", flock)
        assert store.remove(entries) == 1
        flock(descriptor, operation)

    monkeypatch.setattr(file_store.fcntl, "flock", replaced_meanwhile)
    store.put(late)
    assert [late.sequence_number] == _keys(path)


def test_letters_are_counted_up_to_a_limit(path: Path) -> None:
    """Every line counts, even a torn one; of more than the limit it is only known that there are more."""
    assert LetterFile(path).count(5) == 0
    for key in "abc":
        LetterFile(path).put(letter(key))
    path.write_bytes(path.read_bytes() + b"\n{torn")
    assert LetterFile(path).count(5) == 4
    assert LetterFile(path).count(3) == 4
    assert LetterFile(path).count(2) == 3
