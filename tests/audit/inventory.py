"""The jars of the daemon's class path, as daemon/jars.lock has them: one line for each, with what its bytes sum up to.

``group:artifact:version sha256``. Set-up, wheel and image hold the jars against it (``processor/startup/jar_lock.py``);
here is how it is made.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from processor.startup import jar_lock, java
from processor.startup.jar_lock import OURS

LOCK = java.ROOT / "daemon" / "jars.lock"
_HEADER = """\
# Every jar that the daemon runs on, but its own: group:artifact:version sha256. After a change: `./test.sh lock`.
"""
# Of jars that don't say it themselves (META-INF/maven); as Maven Central has them.
_GROUPS = {
    "checker-qual": "org.checkerframework",
    "ion-java": "com.amazon.ion",
    "jcommander": "com.beust",
    "protobuf-java": "com.google.protobuf",
    "reactive-streams": "org.reactivestreams",
    "rxjava": "io.reactivex.rxjava3",
    "third-party-jackson-core": "software.amazon.awssdk",
    "third-party-jackson-dataformat-cbor": "software.amazon.awssdk",
}


@dataclass(frozen=True, slots=True, order=True)
class Jar:
    """One file of the class path."""

    artifact: str  # group:artifact
    version: str
    sha256: str

    @property
    def line(self) -> str:
        """As the lock file has it."""
        return f"{self.artifact}:{self.version} {self.sha256}"


def found() -> list[Jar]:
    """What is on the class path now."""
    paths = map(Path, java.class_path().split(":"))
    return sorted(_read(path) for path in paths if path.name != OURS)


def locked() -> list[Jar]:
    """What should be."""
    return sorted(Jar(f"{jar.group}:{jar.artifact}", jar.version, jar.sha256) for jar in jar_lock.locked(LOCK))


def write() -> None:
    """Make what is there what should be."""
    LOCK.write_text(_HEADER + "".join(f"{jar.line}\n" for jar in found()))


def _read(path: Path) -> Jar:
    with zipfile.ZipFile(path) as jar:
        said = [name.split("/")[2:4] for name in jar.namelist() if name.endswith("/pom.properties")]
    groups = {artifact: group for group, artifact in said} | _GROUPS
    artifact = max((name for name in groups if path.stem.startswith(f"{name}-")), key=len, default="")
    if not artifact:
        message = f"{path.name} doesn't say its group: add it to _GROUPS."
        raise LookupError(message)
    version = path.stem.removeprefix(f"{artifact}-")
    return Jar(f"{groups[artifact]}:{artifact}", version, hashlib.sha256(path.read_bytes()).hexdigest())
