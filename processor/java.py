"""The Java that runs the daemon, and the jars it runs on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from processor import program
from processor.errors import SetupError

# The daemon class is compiled for 11 (daemon/pom.xml).
OLDEST_VERSION = 11
ROOT = program.ROOT
JARS = ROOT / "jars"
_CONSEQUENCE = "The daemon can't run"
_INSTALL = f"Install a JDK, {OLDEST_VERSION} or later"
_REPAIR = (
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
    """JAVA_HOME's java, else the PATH's.

    :raises SetupError: there is none
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")
    if found is None:
        where = f"in JAVA_HOME ({home})" if home else "on the PATH"
        raise SetupError("Java", f"none {where}", _CONSEQUENCE, _INSTALL)
    return found


def check_version() -> None:
    """Ask Java for its version, which takes about 60 ms.

    :raises SetupError: none, or too old
    """
    answer = subprocess.run([executable(), "-version"], capture_output=True, text=True, check=False, timeout=60)
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    version = int(match[1]) if match else 0
    if version < OLDEST_VERSION:
        found = f"{executable()} is version {version or 'unknown'}"
        raise SetupError("Java", found, _CONSEQUENCE, f"{_INSTALL}, or name one in JAVA_HOME")


def class_path() -> str:
    """Kclpy's own folder of jars (KCL, the SDK and what they need), and ours.

    :raises SetupError: a jar is missing
    """
    kclpy = find_spec("amazon_kclpy")
    folders = [Path(place) / "jars" for place in (kclpy.submodule_search_locations or [])] if kclpy else []
    folders.append(JARS)
    for pattern in _NEEDED:
        if not any(next(folder.glob(pattern), None) for folder in folders):
            folders_tried = " or ".join(str(folder) for folder in folders)
            raise SetupError(f"Jar {pattern}", f"not in {folders_tried}", _CONSEQUENCE, _REPAIR)
    return os.pathsep.join(f"{folder}/*" for folder in folders)
