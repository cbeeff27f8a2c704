"""What this program is called, and where the files are that it brings.

They lie beside the package in a checkout, and inside it in a wheel. A checkout's front door is run.sh, which sets up
what is missing. A wheel's is the command ``dynamodb-replicator``; all that it needs was brought by pip.
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
LOG_CONFIGURATION = ROOT / "properties" / "logback.xml"
NAME = "dynamodb-replicator" if INSTALLED else "run.sh"
# As it is typed.
COMMAND = NAME if INSTALLED else f"./{NAME}"

# Where an account without a home keeps its state.
_SYSTEM_STATE = Path("/var/lib")


def log_directory(environment: Mapping[str, str], *, installed: bool = INSTALLED) -> Path:
    """The default of ``logDirectory``: a checkout's own folder, or else the user's folder for state and logs.

    The latter is as https://specifications.freedesktop.org/basedir-spec/latest/ has it, which says, too, that a
    relative path in XDG_STATE_HOME does not count.
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
    """See that the daemon's children, which are started with ``python -I``, will find this program.

    They look neither into the user's own packages (``pip install --user``) nor into PYTHONPATH. Takes 20 ms, and
    nothing where this process was started in the same way.

    :raises SetupError: they will not
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
