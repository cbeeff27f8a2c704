"""The program as pip installs it: from its wheel, into an environment that has never seen the checkout.

Its dependencies are the checkout's own packages, so nothing is fetched.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from processor.startup import java


def built() -> Path:
    """The wheel, built as users build it; nothing is done where it is up to date."""
    subprocess.run([java.ROOT / "setup.sh", "wheel"], check=True)
    (wheel,) = (java.ROOT / "dist").glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path, python: str = sys.executable) -> Path:
    """A new environment at ``folder`` with that wheel in it.

    :returns: the installed command
    """
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python3", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
    packages = folder / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    # A folder named in a .pth file adds its packages but not its own .pth files, one of which names the checkout.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / "bin" / "dynamodb-replicator"
