"""A copy of the checkout with a bug planted, to see a test notice it.

::

    root = planted_checkout(tmp_path / "planted", {"processor/replication/apply.py": ("good line", "bad line")})
    Replicator(folder, settings, root=root)

Only what the replicator runs is copied. Jars and packages are the checkout's own, which must be set up; a class of the
daemon that is edited is compiled into a jar of the copy's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from processor.startup import java

_SOURCES = "daemon/src/main/java"
_JAR = "dynamodb-replicator-daemon.jar"
# The real one would first set up what is only linked here.
_RUN_SH = """#!/usr/bin/env bash
set -euo pipefail
exec "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.venv/bin/python3" -I -m processor "$@"
"""


def planted_checkout(folder: Path, edits: Mapping[str, tuple[str, str]]) -> Path:
    """Copy the checkout into ``folder``, which must not exist yet, and edit the copy.

    :param edits: file, as a path inside the checkout -> what stands in it exactly once, and what will stand there
    :returns: ``folder``, to be given to ``Replicator`` as its ``root``
    :raises AssertionError: a text to replace stands there never or twice, so the code has moved on from the bug
    """
    for name in ("processor", "properties"):
        shutil.copytree(java.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    classes = [name for name in edits if name.endswith(".java")]
    if classes:
        shutil.copytree(java.ROOT / _SOURCES, folder / _SOURCES)
    for name, (old, new) in edits.items():
        path = folder / name
        text = path.read_text()
        assert text.count(old) == 1, f"{name}: {text.count(old)} times instead of once: {old!r}"
        path.write_text(text.replace(old, new))
    if classes:
        _compile(folder, classes)
    else:
        _share_jars(folder)
    run = folder / "run.sh"
    run.write_text(_RUN_SH)
    run.chmod(0o755)
    environment = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = environment / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    # A folder named in a .pth file adds its packages but not its own .pth files, one of which names the checkout.
    (packages / "planted.pth").write_text("\n".join([str(folder), *_package_folders()]) + "\n")
    return folder


def _compile(folder: Path, classes: Sequence[str]) -> None:
    """Make the copy's own jars: links to the checkout's, but for the daemon's, in which these classes are replaced."""
    made, jars = folder / "classes", folder / "jars"
    javac = Path(java.executable()).with_name("javac")
    sources = [str(folder / name) for name in classes]
    subprocess.run(
        [javac, "-nowarn", "-proc:none", "--release", "11", "-d", made, "-cp", java.class_path(), *sources], check=True
    )
    jars.mkdir()
    for path in java.JARS.iterdir():
        if path.name != _JAR and path.suffix != ".jsa":
            (jars / path.name).symlink_to(path)
    replaced = {str(path.relative_to(made)) for path in made.rglob("*.class")}
    with zipfile.ZipFile(java.JARS / _JAR) as old, zipfile.ZipFile(jars / _JAR, "w") as new:
        for name in old.namelist():
            if name not in replaced:
                new.writestr(name, old.read(name))
        for name in sorted(replaced):
            new.write(made / name, name)


def _share_jars(folder: Path) -> None:
    """The checkout's own, by its paths: the class archive is of these, and a start without it takes twice the CPU."""
    path, ours = folder / "processor" / "startup" / "java.py", 'JARS = ROOT / "jars"\n'
    text = path.read_text()
    assert text.count(ours) == 1
    path.write_text(text.replace(ours, f"JARS = Path({str(java.JARS)!r})\n"))
    (folder / "jars").symlink_to(java.JARS)


def _package_folders() -> list[str]:
    """Where this interpreter finds packages: one folder, or several under ``./test.sh newest``."""
    kclpy = find_spec("amazon_kclpy")
    assert kclpy is not None
    assert kclpy.origin is not None
    beside = Path(kclpy.origin).parents[1]
    return [path for path in sys.path if Path(path).name == "site-packages" or Path(path) == beside]
