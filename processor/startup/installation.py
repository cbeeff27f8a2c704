"""Checks whether others could change what this program runs from, a checkout or installed packages.

Whoever can write to a program, or to the folder that it is in, can run anything as the user who starts it. ::

    what is found                                                   what is said
    ─────────────                                                   ────────────
    all of it belongs to this user or to root                       nothing
    all of it belongs to another user, for example a deployer       a warning: that user is trusted
    a part of it belongs to yet another user                        an error
    every user can write to a part of it                            an error, unless ``allowSharedFolders`` is set
    a group with other members can, for example a team              a warning, unless ``allowSharedFolders`` is set

A group whose only member is the owner, as Debian makes for each user, does not count. The machine's own Python and Java
are its administrator's, and are not checked.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from processor.reporting.findings import Finding, error, warning
from processor.startup import java
from processor.system import private_files, program

if TYPE_CHECKING:
    from processor.settings.settings import Settings

# The parts of a checkout that a replication runs; the rest (tests, docs, logs) is not checked.
_RUN = ("processor", "properties", "daemon")
_DOING = "run programs as this user, with its credentials, by changing what is run from there"
_MOST_NAMES = 5


class InstalledPart(NamedTuple):
    """A file, folder or link, and who may do what with it."""

    path: str
    mode: int
    uid: int
    gid: int


def findings(settings: Settings, *, thorough: bool) -> Iterator[Finding]:
    """Find out who else could change what is run.

    :param thorough: check every file of every package. A start has no time for that, and checks only the folders in
        which the packages are.
    """
    parts = list(_parts(thorough=thorough))
    trusted = {private_files.ROOT, os.geteuid()}
    if private_files.is_namespaced():
        trusted.add(private_files.OVERFLOW)  # the host's root, or a user that nobody in this container can be
    owner = program.ROOT.stat().st_uid
    groups = {gid: _members(gid) - trusted - {owner} for gid in {part.gid for part in parts if _is_a_group_s(part)}}
    if not settings.allow_shared_folders:
        yield from _written_by_all(parts)
        yield from _written_by_groups(parts, groups)
    yield from _owned(parts, owner, trusted, trusted.union({owner}, *groups.values()))


def _written_by_all(parts: Sequence[InstalledPart]) -> Iterator[Finding]:
    found = [part for part in parts if part.mode & stat.S_IWOTH and not stat.S_ISLNK(part.mode)]
    if found:
        path, mode = found[0].path, stat.S_IMODE(found[0].mode)
        yield error(
            "installation-writable",
            _what(),
            f"{path} can be written by every user (mode {mode:04o}){_more(found)}",
            f"Anybody on this machine could {_DOING}",
            f"Take that away (chmod -R o-w {_top(path)}); where nobody else is, as in a container, set "
            "allowSharedFolders=true",
            cause="setup",
        )


def _written_by_groups(parts: Sequence[InstalledPart], groups: dict[int, set[int]]) -> Iterator[Finding]:
    found = [part for part in parts if _is_a_group_s(part) and groups[part.gid]]
    if found:
        path, gid = found[0].path, found[0].gid
        names = sorted(private_files.user_name(uid) for uid in groups[gid])
        if len(names) > _MOST_NAMES:
            names[_MOST_NAMES:] = [f"{len(names) - _MOST_NAMES} others"]
        value = f"{path} can be written by the group {private_files.group_name(gid)}, in which are {', '.join(names)}"
        remedy = f"If that is not meant: chmod -R g-w {_top(path)}"
        name = "installation-group-writable"
        yield warning(name, _what(), f"{value}{_more(found)}", f"Each of them could {_DOING}", remedy)


def _owned(parts: Sequence[InstalledPart], owner: int, trusted: set[int], known: set[int]) -> Iterator[Finding]:
    """Check who owns the parts.

    :param known: the trusted users, the owner of the whole, and those whom a group's warning has already named
    """
    strange = [part for part in parts if part.uid not in known]
    if strange:
        yield error(
            "installation-strange",
            _what(),
            f"{strange[0].path} belongs to {private_files.user_name(strange[0].uid)}{_more(strange)}",
            f"That user could {_DOING}",
            "Find out how that came; then make the installation anew, or have that belong to its owner (chown)",
            cause="setup",
        )
    if owner not in trusted:
        yield warning(
            "installation-of-another",
            _what(),
            f"belongs to {private_files.user_name(owner)}",
            f"Whoever has that account can {_DOING}",
            "If that is not meant, have it belong to root, or to the user that runs it",
        )


def _what() -> str:
    return f"installation {program.ROOT}"


def _more(found: Sequence[InstalledPart]) -> str:
    return f"; the same holds for {len(found) - 1} more" if len(found) > 1 else ""


def _top(path: str) -> Path:
    """The folder for which to show a recursive command: the installation, or a folder above it."""
    return program.ROOT if Path(path).is_relative_to(program.ROOT) else Path(path)


def _is_a_group_s(part: InstalledPart) -> bool:
    """Whether a group that may have other members can write to the part; root's group does not count."""
    return bool(part.mode & stat.S_IWGRP) and part.gid != private_files.ROOT and not stat.S_ISLNK(part.mode)


def _members(group: int) -> set[int]:
    """The users in a group; a directory service may not list all of them."""
    import grp
    import pwd

    found = {entry.pw_uid for entry in pwd.getpwall() if entry.pw_gid == group}
    try:
        names = grp.getgrgid(group).gr_mem
    except KeyError:
        return found
    for name in names:
        try:
            found.add(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue  # nobody can log in as this user
    return found


def _parts(*, thorough: bool) -> Iterator[InstalledPart]:
    """Everything that is run, and the folders and links on the way to it; each once."""
    seen: set[str] = set()
    for place, whole in _places():
        below = _below(os.path.realpath(place), whole=whole or (thorough and place != program.ROOT))
        for part in [*_way(place), *below]:
            if part.path not in seen:
                seen.add(part.path)
                yield part


def _places() -> Iterator[tuple[Path, bool]]:
    """The places of the installation, and whether a start has time to check everything below each."""
    yield program.ROOT, program.INSTALLED
    if not program.INSTALLED:
        yield from ((program.ROOT / name, True) for name in _RUN)
    yield from ((folder, True) for folder in java.folders())
    if sys.prefix != sys.base_prefix:
        yield Path(sys.prefix), False
        yield Path(sys.prefix) / "bin", False
    yield from ((Path(entry), False) for entry in sys.path if entry.endswith("-packages"))


def _way(place: Path) -> Iterator[InstalledPart]:
    for path, found in private_files.walk(place):
        mode = found.st_mode
        if stat.S_ISDIR(mode) and mode & stat.S_ISVTX and path != place:
            mode &= ~0o022  # like /tmp: there others can rename only their own files
        yield InstalledPart(str(path), mode, found.st_uid, found.st_gid)


def _below(folder: str, *, whole: bool) -> Iterator[InstalledPart]:
    """The entries of a folder, and with ``whole`` of the folders below it. No link is followed."""
    is_checkout = folder == str(program.ROOT) and not program.INSTALLED
    left = [folder]
    while left:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    is_folder = stat.S_ISDIR(found.st_mode)
                    if is_folder and whole:
                        left.append(entry.path)
                    if not (is_folder and is_checkout):  # those that matter are places of their own
                        yield InstalledPart(entry.path, found.st_mode, found.st_uid, found.st_gid)
        except OSError:
            continue  # what can't be read can't be run, and what has gone isn't
