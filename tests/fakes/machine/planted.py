"""A copy of the checkout with a bug planted, to see a test notice it.

::

    root = planted_checkout(tmp_path / "planted", {"processor/replication/apply.py": ("good line", "bad line")})
    Replicator(folder, settings, root=root)

Only what the replicator runs is copied. Jars and packages are the checkout's own, which must be set up.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from processor.startup import java

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
    (folder / "jars").symlink_to(java.JARS)
    for name, (old, new) in edits.items():
        path = folder / name
        text = path.read_text()
        assert text.count(old) == 1, f"{name}: {text.count(old)} times instead of once: {old!r}"
        path.write_text(text.replace(old, new))
    run = folder / "run.sh"
    run.write_text(_RUN_SH)
    run.chmod(0o755)
    environment = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = environment / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    # A folder named in a .pth file adds its packages but not its own .pth files, one of which names the checkout.
    (packages / "planted.pth").write_text("\n".join([str(folder), *_package_folders()]) + "\n")
    return folder


def _package_folders() -> list[str]:
    """Where this interpreter finds packages: one folder, or several under ``./test.sh newest``."""
    kclpy = find_spec("amazon_kclpy")
    assert kclpy is not None
    assert kclpy.origin is not None
    beside = Path(kclpy.origin).parents[1]
    return [path for path in sys.path if Path(path).name == "site-packages" or Path(path) == beside]
