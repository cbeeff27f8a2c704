"""Finds the Java that runs the daemon, and the jars that it runs on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from processor.errors import SetupError
from processor.system import program

# The daemon class is compiled for 11 (daemon/pom.xml).
OLDEST_VERSION = 11
# A shard in a backlog holds three pages of 1 MB, and several times one of them while it becomes the child's message.
# The heap should take only what it needs. It begins small and grows late, so that garbage does not fill what is
# allowed. The young generation's survivor spaces are large enough for the pages being processed, which would otherwise
# become garbage in the old generation. With eight shards in a backlog the JVM takes 280 MB instead of 440, at the cost
# of a tenth of its CPU. The serial collector takes the least memory and CPU.
MEMORY = (
    "-Xmx1g",
    "-Xms96m",
    "-Xmn64m",
    "-XX:SurvivorRatio=2",
    "-XX:MinHeapFreeRatio=30",
    "-XX:MaxHeapFreeRatio=50",
    "-XX:+UseSerialGC",
)
ROOT = program.ROOT
JARS = ROOT / "jars"
_CONSEQUENCE = "The daemon can't run"
_INSTALL = f"Install a JDK, {OLDEST_VERSION} or later"
REPAIR = (
    "Install dynamodb-replicator and amazon-kclpy anew, with pip's --force-reinstall"
    if program.INSTALLED
    else f"Remove {JARS} and .venv, and start again: run.sh makes them anew"
)
_NEEDED = (
    "amazon-kinesis-client-multilang-*.jar",
    "dynamodb-streams-kinesis-adapter-*.jar",
    "dynamodb-replicator-daemon.jar",
)


def executable() -> str:
    """JAVA_HOME's java, otherwise the PATH's.

    :raises SetupError: there is no Java
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")
    if found is None:
        where = f"in JAVA_HOME ({home})" if home else "on the PATH"
        raise SetupError("Java", f"none {where}", _CONSEQUENCE, _INSTALL)
    return found


def version() -> int:
    """Java's major version: from the file ``release`` of its installation, or else by running it, in 60 ms.

    :returns: 0 if it can't be found out
    :raises SetupError: there is no Java
    """
    try:
        told = (Path(executable()).resolve().parent.parent / "release").read_text(errors="replace")
    except OSError:
        answer = subprocess.run([executable(), "-version"], capture_output=True, text=True, check=False, timeout=60)
        told = answer.stderr
    match = re.search(r'(?:version |^JAVA_VERSION=)"(?:1\.)?(\d+)', told, re.MULTILINE)
    return int(match[1]) if match else 0


def check_version() -> None:
    """Check that it is not too old.

    :raises SetupError: there is no Java, or it is too old
    """
    found = version()
    if found < OLDEST_VERSION:
        value = f"{executable()} is version {found or 'unknown'}"
        raise SetupError("Java", value, _CONSEQUENCE, f"{_INSTALL}, or name one in JAVA_HOME")


def folders() -> list[Path]:
    """The folders with jars: kclpy's own (KCL, the SDK and what they need), then ours."""
    kclpy = find_spec("amazon_kclpy")
    return [*(Path(place) / "jars" for place in (kclpy and kclpy.submodule_search_locations) or []), JARS]


def class_path() -> str:
    """The jars of both folders, each folder's in the order of their names.

    The JVM would accept folders, but reads them in an undefined order, and a class archive requires a fixed one.

    :raises SetupError: a jar is missing
    """
    jars = [jar for folder in folders() for jar in sorted(folder.glob("*.jar"))]
    for pattern in _NEEDED:
        if not any(jar.match(pattern) for jar in jars):
            folders_tried = " or ".join(str(folder) for folder in folders())
            raise SetupError(f"Jar {pattern}", f"not in {folders_tried}", _CONSEQUENCE, REPAIR)
    return os.pathsep.join(map(str, jars))
