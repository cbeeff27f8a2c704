"""Dead letters in a local file, one a line, appended to and cleared by any number of processes at once.

The file holds whole items, so it is made readable by its owner only. Each writer holds a lock on the file itself. To
remove lines, a new file with all the others takes the old one's name, so a crash leaves one or the other; a writer that
got its lock on the old one looks at the name again, and so finds the new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import IO

from processor.errors import DeadLetterError
from processor.replication.dead_letters.letter import DEAD_LETTERS, Entry, Kept, Words, encode, entry
from processor.system import private_files
from processor.system.private_files import NotOursError

OWNER_ONLY = private_files.FILE_MODE


class LetterFile:
    """Implements ``letter.LetterStore``."""

    def __init__(self, path: str | Path, *, shared: bool = False, words: Words = DEAD_LETTERS) -> None:
        self._shared = shared
        self._words = words
        self._path = Path(os.path.realpath(path))  # a link stays one when the file behind it is replaced
        self.place = str(path)

    def put(self, letter: Kept) -> None:
        """Append one line and wait until it is on disk.

        :raises DeadLetterError: the file can't be written
        """
        try:
            self._check()
            append_line(self._path, encode(letter), shared=self._shared)
        except OSError as exc:
            message = (
                f"The {self._words.what} in {self.place} can't be written ({exc}), so the change with sequence number "
                f"{letter.sequence_number} {self._words.fate}. It is kept and met again at the next start. "
                f"{_remedy(exc, 'Make the file writable')}."
            )
            raise DeadLetterError(message) from exc

    def entries(self) -> Iterator[Entry]:
        """Every line there is at the first step; none where there is no file.

        :raises DeadLetterError: the file can't be read
        """
        with (
            self._problems("read", "Make it readable"),
            contextlib.suppress(FileNotFoundError),
            self._opened() as file,
        ):
            fcntl.flock(file, fcntl.LOCK_SH)  # a line half appended would look torn
            end = os.fstat(file.fileno()).st_size
            fcntl.flock(file, fcntl.LOCK_UN)
            yield from self._entries(file, end)

    def count(self, most: int) -> int:
        """Lines that hold anything, without a lock: one that is being appended may be counted or not.

        :raises DeadLetterError: the file can't be read
        """
        with (
            self._problems("read", "Make it readable"),
            contextlib.suppress(FileNotFoundError),
            self._opened() as file,
        ):
            return sum(1 for _ in islice(filter(bytes.strip, file), most + 1))
        return 0

    def _check(self) -> None:
        """Nobody else decides which file that is: ``_path`` is what links lead to."""
        owner = _other_owner(self._path)
        private_files.check(Path(self.place), shared=self._shared, owner=owner)

    def _opened(self) -> IO[bytes]:
        self._check()
        return os.fdopen(_open(self._path, os.O_RDONLY, shared=self._shared), "rb")

    def _entries(self, file: IO[bytes], end: int) -> Iterator[Entry]:
        number = 0
        while file.tell() < end:
            line = file.readline()
            number += 1
            if content := line.strip():
                yield entry(f"{self.place}:{number}", _tag(content), content)

    def remove(self, entries: Collection[Entry]) -> int:
        """Put a file without these lines in its place.

        :raises DeadLetterError: the folder can't be written, or the new file could not have the old one's owner
        """
        if not entries:
            return 0
        tags = {found.tag for found in entries}
        with self._problems("cleared", ""):
            self._check()
        remedy = "Run this as the file's owner, with write permission in its folder"
        with (
            self._problems("cleared", remedy),
            contextlib.suppress(FileNotFoundError),
            _locked(self._path, os.O_RDWR, shared=self._shared) as descriptor,
            os.fdopen(os.dup(descriptor), "rb") as old,
        ):
            return self._replace(old, tags)
        return 0

    def _replace(self, old: IO[bytes], tags: Collection[str]) -> int:
        """Runs under the lock, so no line is appended to ``old`` any more."""
        removed = 0
        made = self._path.with_name(f".{self._path.name}.rest")  # one at a time: the lock
        with contextlib.suppress(FileNotFoundError):
            made.unlink()
        was = os.fstat(old.fileno())
        try:
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as new:
                now = os.fstat(new.fileno())
                if (was.st_uid, was.st_gid) != (now.st_uid, now.st_gid):
                    os.fchown(new.fileno(), was.st_uid, was.st_gid)  # else the daemons could not append to it
                os.fchmod(new.fileno(), was.st_mode & 0o7777)
                old.seek(0)
                for line in old:
                    if (content := line.strip()) and _tag(content) in tags:
                        removed += 1
                    else:
                        new.write(line)
                new.flush()
                os.fsync(new.fileno())
            if removed:
                made.replace(self._path)
                _sync_folder(self._path.parent)
        finally:
            made.unlink(missing_ok=True)
        return removed

    @contextlib.contextmanager
    def _problems(self, what: str, remedy: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as exc:
            remedy = _remedy(exc, remedy)
            message = f"The dead letters in {self.place} can't be {what} ({exc}). None of them is lost. {remedy}."
            raise DeadLetterError(message) from exc


def append_line(path: Path, line: bytes, *, shared: bool = False) -> None:
    """Append ``line`` and a newline as a whole, durably; a line that a crash cut short stays a line of its own.

    :raises OSError: as the file system says
    """
    if not path.parent.exists():
        private_files.make_folder(path.parent, shared=shared)
    with _locked(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, shared=shared) as descriptor:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        data = memoryview((b"\n" if torn else b"") + line + b"\n")
        try:
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        except OSError:
            # On a full disk a part of it is there, and would be each time that it is tried again.
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    if size == 0:  # the file's name must be on disk as well, also where an attempt before has only made the file
        _sync_folder(path.parent)


@contextlib.contextmanager
def _locked(path: Path, flags: int, *, shared: bool) -> Iterator[int]:
    """A descriptor of the file that has that name, locked for us alone."""
    while True:
        descriptor = _open(path, flags, shared=shared)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _has_name(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _open(path: Path, flags: int, *, shared: bool) -> int:
    return private_files.open_file(path, flags, shared=shared, owner=_other_owner(path))


def _other_owner(path: Path) -> int | None:
    """Root may see to the letters of a daemon that runs as another user: whoever has their folder."""
    return path.parent.stat().st_uid if os.geteuid() == 0 and path.parent.exists() else None


def _remedy(exc: OSError, otherwise: str) -> str:
    return exc.remedy if isinstance(exc, NotOursError) else otherwise


def _has_name(path: Path, descriptor: int) -> bool:
    """Whether the name is still this file's: while we waited for the lock, another may have taken it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
