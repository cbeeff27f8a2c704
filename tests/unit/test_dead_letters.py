"""Changes that are set aside."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from processor.dead_letters import FileDeadLetters, append_line
from processor.errors import DeadLetterError, RefusedError
from processor.records import Change
from tests.fakes.changes import delete, put

ERROR = RefusedError("PutItem: refused", code="ValidationException")


def _letters(path: Path) -> FileDeadLetters:
    return FileDeadLetters(str(path), task_name="t", table="copy", region="us-east-1", shard_id="shard-1")


def test_a_letter_has_all_that_is_needed_to_apply_it_again(tmp_path: Path) -> None:
    """A line holds the change as it came, what refused it and why, and when."""
    path = tmp_path / "new" / "letters.jsonl"
    _letters(path).add(put("a", "é", number=5), ERROR)
    _letters(path).add(delete("b"), ERROR)
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "taskName": "t",
        "table": "copy",
        "region": "us-east-1",
        "shardId": "shard-1",
        "sequenceNumber": "100000000000000000005",
        "eventName": "MODIFY",
        "error": "ValidationException",
        "reason": "PutItem: refused",
        "key": {"id": {"S": "a"}},
        "newImage": {"id": {"S": "a"}, "value": {"S": "é"}},
    }
    assert (second["eventName"], second["key"], second["newImage"]) == ("REMOVE", {"id": {"S": "b"}}, None)


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    """The file holds whole items, so it has mode 0600."""
    _letters(tmp_path / "letters.jsonl").add(put("a"), ERROR)
    assert oct(0o600) == oct((tmp_path / "letters.jsonl").stat().st_mode & 0o777)


def test_a_letter_is_on_disk_when_add_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint may pass a change only when its letter would survive a loss of power."""
    synced: list[tuple[str, bytes]] = []
    path = tmp_path / "letters.jsonl"

    def sync(descriptor: int) -> None:
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), path.read_bytes()))

    monkeypatch.setattr(os, "fsync", sync)
    append_line(path, b"whole")
    assert [(str(path), b"whole\n"), (str(tmp_path), b"whole\n")] == synced


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    """A line that a crash cut short stays a line of its own."""
    path = tmp_path / "letters.jsonl"
    path.write_bytes(b'{"torn":')
    append_line(path, b"{}")
    append_line(path, b"{}")
    assert path.read_bytes() == b'{"torn":\n{}\n{}\n'


def test_writers_do_not_mix_their_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several children append to one file, each line as a whole, even where the system writes it in pieces."""
    write, path = os.write, tmp_path / "letters.jsonl"
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:7]))

    def append(name: str) -> None:
        for _ in range(20):
            append_line(path, name.encode() * 50)

    threads = [threading.Thread(target=append, args=(name,), daemon=True) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    lines = path.read_text().splitlines()
    assert dict.fromkeys("abcd", 20) == {name: lines.count(name * 50) for name in "abcd"}
    assert len(lines) == 80


@pytest.mark.parametrize("change", [put("a", "secret"), delete("a")])
def test_a_letter_that_cannot_be_written_is_an_error(tmp_path: Path, change: Change) -> None:
    """Where the file can't be written the change is kept: the error says so, and shows nothing of the item."""
    with pytest.raises(DeadLetterError, match="sequence number 100000000000000000001") as caught:
        _letters(tmp_path).add(change, ERROR)
    assert "secret" not in str(caught.value)
