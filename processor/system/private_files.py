"""Protects our files and folders from other users: what one of them has made, or could change, is refused.

Whoever could replace ``daemon.properties`` could run programs as this user, with its credentials. So every part of a
path is checked from the root before the path is used::

    /          var        log            orders-to-eu/     daemon.properties
    root's     root's     root's, 0755   ours, 0700        ours, 0600

- Each part belongs to us or to root, also a link.
- Nobody else can write to a folder above ours, or it has the sticky bit like /tmp: there others can rename only their
  own.
- Nobody else can write to the last part, whatever bit it has.

What is made is ours alone, whatever the umask. When a path has passed the check, others can't change where it leads.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600
# Only the owner, for files that this process and its children make without an explicit mode.
UMASK = 0o077
# What could happen otherwise, for a message.
OTHERS = "Others could put files in the place of ours there, and run programs as this user, with its credentials"
ROOT = 0
# Linux's own limit, in case links form a circle.
_MOST_LINKS = 40
# The id that the kernel shows for owners outside a container's user namespace, such as the host's root.
OVERFLOW = 65534


class NotOursError(PermissionError):
    """Somebody else has made ``part`` of a path, or could change it; the text says who.

    :param remedy: what to do about it, a clause for a sentence
    """

    def __init__(self, part: Path, text: str, remedy: str) -> None:
        super().__init__(errno.EPERM, text, str(part))
        self.remedy = remedy

    def __str__(self) -> str:
        """Without OSError's number and file name, which the text already has."""
        return str(self.strerror)


def check(path: Path, *, shared: bool = False, owner: int | None = None) -> None:
    """Check that ``path``, as far as it exists, is ours alone.

    :param shared: don't check who may write (``allowSharedFolders``), only who owns each part
    :param owner: another user who is trusted, too
    :raises NotOursError: it isn't
    :raises OSError: it can't be examined
    """
    owners = _trusted(owner)
    for part, found in walk(path):
        _check_owner(part, found, owners)
        if stat.S_ISDIR(found.st_mode) and not shared and not found.st_mode & stat.S_ISVTX:
            _check_mode(part, found)
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        found = path.stat()  # also works for a deleted file that only a link of /proc leads to
        _check_owner(path, found, owners)
        if not shared and (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            _check_mode(path, found)


def make_folder(path: Path, *, shared: bool = False) -> None:
    """Make it, and the folders above it, for us alone; what is there already is checked.

    :raises NotOursError: see ``check``
    :raises OSError: it can't be made
    """
    check(path, shared=shared)
    missing = []
    at = path
    while not at.exists():
        missing.append(at)
        at = at.parent
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=FOLDER_MODE)
        except FileExistsError:
            continue  # made by another daemon of ours, or by somebody else: the check below finds out
        folder.chmod(FOLDER_MODE)  # a umask may have taken the owner's bits, too
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    check(path, shared=shared)


def open_file(path: Path, flags: int, *, shared: bool = False, owner: int | None = None) -> int:
    """Open it, make it for us alone if it is missing, and check again what was opened.

    A pipe or a terminal is accepted whoever can write to it, and so is a path in /dev or /proc that leads to one.

    :returns: a descriptor that is closed in programs that this one starts
    :raises NotOursError: see ``check``
    :raises OSError: it can't be opened
    """
    is_device = _is_kernels(path) and not _is_file(path)
    # Found out before the check, so that no link is followed which is made after it, where others may make one.
    leads, follow = (path, 0) if _is_kernels(path) else (Path(os.path.realpath(path)), os.O_NOFOLLOW)
    if not is_device:
        check(path, shared=shared, owner=owner)
    descriptor = os.open(leads, flags & ~os.O_TRUNC | os.O_CLOEXEC | follow, FILE_MODE)
    try:
        found = os.fstat(descriptor)
        if not is_device:
            _check_owner(path, found, _trusted(owner))
        if stat.S_ISREG(found.st_mode):
            if not shared:
                _check_mode(path, found)
            if flags & os.O_TRUNC:
                os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _is_kernels(path: Path) -> bool:
    """Whether only the kernel makes links there: in /dev and /proc, but not in /dev/shm, which is as /tmp."""
    parts = path.absolute().parts
    return parts[1:2] in (("dev",), ("proc",)) and parts[1:3] != ("dev", "shm")


def _is_file(path: Path) -> bool:
    """Whether it is a file, or doesn't exist yet."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return True


def read(path: Path) -> bytes:
    """The content of a file that only we can have written.

    :raises NotOursError: somebody else can have written it
    :raises OSError: it can't be read
    """
    with os.fdopen(open_file(path, os.O_RDONLY, shared=True), "rb") as file:
        _check_mode(path, os.fstat(file.fileno()))
        return file.read()


def check_content(folder: Path) -> None:
    """Check that everything in our folder is ours, too: others may have been able to write there before.

    No link is followed. Other users' right to write is removed.

    :raises NotOursError: something was made by somebody else
    :raises OSError: it can't be examined
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            _check_owner(Path(entry.path), found, _trusted())
            if stat.S_ISREG(found.st_mode) and found.st_mode & 0o022 and found.st_uid == os.geteuid():
                Path(entry.path).chmod(stat.S_IMODE(found.st_mode) & ~0o022)


def walk(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every folder, link and file on the way to ``path``, from the root, as far as they exist."""
    at = Path("/")
    yield at, at.lstat()
    left = list(reversed(path.absolute().parts[1:]))
    links = 0
    while left:
        name = left.pop()
        if name == "..":
            at = at.parent
            continue
        part = at / name
        try:
            found = part.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return
        yield part, found
        if not stat.S_ISLNK(found.st_mode):
            at = part
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        target = part.readlink()
        at = Path("/") if target.is_absolute() else at
        left += reversed(target.parts[1:] if target.is_absolute() else target.parts)


def _trusted(other: int | None = None) -> set[int]:
    return {ROOT, os.geteuid()} if other is None else {ROOT, os.geteuid(), other}


def _check_owner(part: Path, found: os.stat_result, owners: set[int]) -> None:
    if found.st_uid in owners or (found.st_uid == OVERFLOW and stat.S_ISDIR(found.st_mode) and is_namespaced()):
        return
    what = "is a link that belongs" if stat.S_ISLNK(found.st_mode) else "belongs"
    raise NotOursError(part, f"{part} {what} to {user_name(found.st_uid)}", "Remove it, or name another place")


def _check_mode(part: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if mode & stat.S_IWOTH:
        who = "every user"
    elif mode & stat.S_IWGRP and not _is_ours_alone(found.st_gid):
        who = f"the group {group_name(found.st_gid)}"
    else:
        return
    raise NotOursError(
        part,
        f"{part} can be written by {who} (mode {mode:04o})",
        f"Take that away (chmod go-w {part}), or name another place",
    )


def _is_ours_alone(group: int) -> bool:
    """Whether only we and root are in the group: root's own, or one with our name, as Linux makes for each user."""
    if group == ROOT:
        return True
    if group != os.getegid():
        return False
    import grp  # these two may ask a directory service, which few paths need
    import pwd

    try:
        entry = grp.getgrgid(group)
    except KeyError:
        return True  # a group without a name has no members
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return entry.gr_name == name and set(entry.gr_mem) <= {name}


def is_namespaced() -> bool:
    """Whether this process sees only a part of the machine's users, as in a container without root."""
    try:
        return Path("/proc/self/uid_map").read_text().split()[2:3] != ["4294967295"]
    except OSError:
        return False


def user_name(number: int) -> str:
    """Show a user, for a message."""
    import pwd

    try:
        return f"{pwd.getpwuid(number).pw_name} (uid {number})"
    except KeyError:
        return f"uid {number}"


def group_name(number: int) -> str:
    """Show a group, for a message."""
    import grp

    try:
        return f"{grp.getgrgid(number).gr_name} (gid {number})"
    except KeyError:
        return str(number)
