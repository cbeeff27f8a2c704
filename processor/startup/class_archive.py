"""Makes and finds the class archive: the daemon's classes, loaded and verified beforehand in a file that the JVM maps.

A start reads some 9,000 classes from 75 jars, which takes half of its CPU time; with this archive (Java's class-data
sharing) it takes a seventh. The archive fits one build of Java and exactly these jars, so its name has a digest of
both. One that does not fit is not found, and the daemon starts without it, only more slowly.

``python -m processor.startup.class_archive`` makes it for the Java that a start would use; set-up and the image do so.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from processor.errors import ReplicatorError, SetupError
from processor.reporting import output
from processor.startup import java

# The list of classes: daemon/classes.lst, which set-up puts beside the jars. ./test.sh lock renews it.
CLASS_LIST = java.JARS / "classes.lst"
# Lines for lambdas begin with this; older versions fail on them (JDK-8198698).
_LAMBDA = "@"
_LAMBDAS_SINCE = 16
# On a machine that does nothing else it takes 6 s.
_TIMEOUT_SECONDS = 300


def find() -> Path | None:
    """The archive that fits the current Java and jars, if it was made.

    :raises SetupError: there is no Java, or a jar is missing
    """
    path = _path()
    return path if path is not None and os.access(path, os.R_OK) else None


def make() -> Path:
    """Make it. Two processes may do so at once, and a daemon that has mapped an older one keeps that.

    :raises SetupError: it can't be made
    """
    path = _path()
    what = f"Class archive of {java.executable()}"
    consequence, remedy = "The daemon starts without, some seconds later", "Nothing has to be done"
    if path is None or not CLASS_LIST.exists():
        lacking = CLASS_LIST if path is not None else "lib/server/libjvm.so beside it: it is not OpenJDK's"
        raise SetupError(what, f"can't be made: there is no {lacking}", consequence, remedy)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".class-archive-") as folder:
            listed, made = Path(folder) / "classes.lst", Path(folder) / path.name
            listed.write_text("\n".join(classes()))
            command = [
                java.executable(),
                *java.MEMORY,  # the layout of classes depends on them
                "-Xshare:dump",
                f"-XX:SharedClassListFile={listed}",
                f"-XX:SharedArchiveFile={made}",
            ]
            environment = os.environ | {"CLASSPATH": java.class_path()}
            ended = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=_TIMEOUT_SECONDS,
            )
            if ended.returncode or not made.exists():
                said = ended.stdout.decode(errors="replace").strip().splitlines()[-1:]
                raise SetupError(what, f"can't be made: {said or ended.returncode}", consequence, remedy)
            made.chmod(0o644)
            with made.open("rb") as file:
                os.fsync(file.fileno())  # the JVM would crash on an incomplete archive
            made.replace(path)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise SetupError(what, f"can't be made ({exc})", consequence, remedy) from exc
    return path


def _path() -> Path | None:
    launcher = Path(java.executable()).resolve()
    library = launcher.parent.parent / "lib" / "server" / "libjvm.so"
    digest = hashlib.sha256()
    try:
        for file in (library, *map(Path, java.class_path().split(os.pathsep))):
            found = file.stat()  # what the JVM itself compares, in seconds as it does
            digest.update(f"{file}\0{found.st_size}\0{int(found.st_mtime)}\n".encode())
    except OSError:
        return None
    return java.JARS / f"classes-{digest.hexdigest()[:16]}.jsa"


def classes() -> Iterator[str]:
    """Our list of classes, and those in this Java's own archive."""
    lists = [CLASS_LIST]
    with contextlib.suppress(OSError):
        own = Path(java.executable()).resolve().parent.parent / "lib" / "classlist"
        own.stat()
        lists.insert(0, own)
    with_lambdas = java.version() >= _LAMBDAS_SINCE
    seen = set()
    for file in lists:
        for line in file.read_text().splitlines():
            if line not in seen and not line.startswith("#") and (with_lambdas or not line.startswith(_LAMBDA)):
                seen.add(line)
                yield line


def main() -> int:
    """Make it, and print its path."""
    try:
        output.line(str(make()))
    except ReplicatorError as exc:
        output.say(str(exc))
        return exc.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
