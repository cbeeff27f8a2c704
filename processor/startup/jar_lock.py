"""Compares the hashes of the daemon's jars with ``daemon/jars.lock``.

Nothing else does: amazon-kclpy's own installation fetches KCL's jars without checking their hashes, and Maven compares
with a checksum from the same server. Set-up and the image run this file as a program, before the rest of the package is
installed, so it imports nothing of it::

    python -I processor/startup/jar_lock.py FOLDER ...

It ends with 22 if a jar in one of the folders is not as in the lock. With ``--whole`` before the folders, every jar of
the lock must also be in one of them.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

# It is built from this checkout's sources, by whichever compiler there is, so its hash can't be known beforehand.
OURS = "dynamodb-replicator-daemon.jar"
CONSEQUENCE = "It is not what was looked at and tested, so the daemon must not run on it"
_INVALID = 22


class Jar(NamedTuple):
    """A line of the lock: ``group:artifact:version sha256``."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The file name that Maven gives it."""
        return f"{self.artifact}-{self.version}.jar"


class JarDifference(NamedTuple):
    """One jar that is not as in the lock."""

    jar: str
    what: str


def find() -> Path:
    """The lock: a checkout's own, or the copy that a wheel brings."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "jars" / "jars.lock"
    return inside if inside.exists() else package.parent / "daemon" / "jars.lock"


def locked(lock: Path) -> list[Jar]:
    """The jars of the lock.

    :raises OSError: the lock can't be read
    """
    found = []
    for line in lock.read_text(encoding="ascii").splitlines():
        if line and line[0] != "#":
            name, sha256 = line.split()
            group, artifact, version = name.split(":")
            found.append(Jar(group, artifact, version, sha256))
    return found


def differences(lock: Path, folders: Iterable[Path], *, whole: bool) -> Iterator[JarDifference]:
    """Jars that differ from the lock, are not in it, or are missing.

    :param whole: whether these are all folders, so that a jar in none of them is missing
    :raises OSError: the lock, or a jar, can't be read
    """
    wanted = {jar.file_name: jar.sha256 for jar in locked(lock)}
    found = [jar for folder in folders for jar in sorted(folder.glob("*.jar")) if jar.name != OURS]
    for jar in found:
        sha256 = hashlib.sha256(jar.read_bytes()).hexdigest()
        if jar.name not in wanted:
            yield JarDifference(str(jar), f"not in {lock}")
        elif sha256 != wanted[jar.name]:
            yield JarDifference(str(jar), f"its SHA-256 is {sha256}, in {lock} it is {wanted[jar.name]}")
    if whole:
        for name in sorted(wanted.keys() - {jar.name for jar in found}):
            yield JarDifference(name, f"is in {lock}, and nowhere else")


def main(arguments: list[str]) -> int:
    """Print each difference on standard error.

    :returns: 0 if there is none, otherwise 22
    """
    whole = arguments[:1] == ["--whole"]
    folders = [Path(folder) for folder in arguments[whole:]]
    lock = find()
    try:
        found = [f"Jar {jar}: {what}" for jar, what in differences(lock, folders, whole=whole)]
    except OSError as exc:
        found = [f"Jars: can't be held against {lock} ({exc})"]
    for each in found:
        print(f"{each}. {CONSEQUENCE}.", file=sys.stderr)
    if not found:
        return 0
    print(
        "Fetch it anew: remove .venv, jars/, and what pip and Maven keep (`pip cache purge`; the jar in "
        "~/.m2/repository), and try again. Where that brings the same bytes, whoever serves them serves others than "
        "before: find out why first.",
        file=sys.stderr,
    )
    return _INVALID


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
