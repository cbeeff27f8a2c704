"""This program's name, and the places of its own files.

These are beside the package in a checkout, and inside it in a wheel. A checkout is started by run.sh, which sets up
what is missing. A wheel is started by the command ``dynamodb-replicator``; pip has installed all that it needs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from processor.errors import SetupError

_PACKAGE = Path(__file__).resolve().parents[1]
# pyproject.toml has a wheel's jars and properties put into the package.
INSTALLED = (_PACKAGE / "jars").is_dir()
ROOT = _PACKAGE if INSTALLED else _PACKAGE.parent
TEMPLATE = ROOT / "properties" / "replication.properties"
DEMO = ROOT / "properties" / "demo.properties"
LOG_CONFIGURATION = ROOT / "properties" / "logback.xml"
NAME = "dynamodb-replicator" if INSTALLED else "run.sh"
# The command as a user types it.
COMMAND = NAME if INSTALLED else f"./{NAME}"

# Where the state is kept of an account without a home directory.
_SYSTEM_STATE = Path("/var/lib")


def log_directory(environment: Mapping[str, str], *, installed: bool = INSTALLED) -> Path:
    """The default of ``logDirectory``: a checkout's own folder, or else the user's folder for state and logs.

    The latter follows https://specifications.freedesktop.org/basedir-spec/latest/, by which a relative path in
    XDG_STATE_HOME does not count.
    """
    if not installed:
        return ROOT / "logs"
    named = Path(environment.get("XDG_STATE_HOME", ""))
    try:
        state = named if named.is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:  # an account of a container, without a name
        state = _SYSTEM_STATE
    return state / "dynamodb-replicator"


def check_isolated() -> None:
    """Check that the daemon's children, which are started with ``python -I``, will find this program.

    They ignore the user's own packages (``pip install --user``) and PYTHONPATH. The check takes 20 ms, or no time if
    this process was started in the same way.

    :raises SetupError: they will not find it
    """
    if sys.flags.isolated:
        return
    look = "import importlib.util as u, sys; sys.exit(not (u.find_spec('processor') and u.find_spec('amazon_kclpy')))"
    if subprocess.run([sys.executable, "-I", "-c", look], check=False).returncode:
        raise SetupError(
            "Installation",
            f"{sys.executable} finds {_PACKAGE} only by way of the user's own packages or PYTHONPATH, which the "
            "daemon's children don't look into",
            "The daemon can't run",
            "Install into an environment of its own: python3 -m venv, or pipx",
        )
