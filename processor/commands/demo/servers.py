"""The demo's two servers: which program they are, set up where it isn't yet."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.demo.moto_server import MotoServer
from processor.errors import SetupError
from processor.reporting import output
from processor.settings.settings import Settings
from processor.system import program

MOTO = "moto"
# What the extra "demo" of pyproject.toml names.
_REQUIREMENTS = "'moto[dynamodb]' flask flask-cors"
_NAMES = {"dynamodb-local": "DynamoDB Local", MOTO: "moto"}


class Server(Protocol):
    """A DynamoDB on this machine."""

    @property
    def endpoint(self) -> str:
        """Where it listens."""

    def start(self) -> Server:
        """Start it, and return at once."""

    def wait(self) -> Server:
        """Wait until it answers."""

    def stop(self) -> None:
        """End it."""


def _of_a_wheel(settings: Settings, logs: Path) -> list[Server]:
    """Servers of moto, from where this program's own packages are.

    :raises SetupError: it isn't installed
    """
    if importlib.util.find_spec(MOTO) is None:
        raise SetupError(
            "moto",
            f"is not installed beside {program.NAME}",
            "The demo of a wheel runs on its server",
            f"Install it too: pipx inject {program.NAME} {_REQUIREMENTS}, or pip install {_REQUIREMENTS} into the "
            "same environment",
        )
    if settings.demo_server != MOTO:
        output.say("A wheel brings no DynamoDB Local: the demo takes moto's server, as demoServer=moto does.")
    files = [logs / f"{MOTO}-{role}.log" for role in ("source", "destination")]
    return [MotoServer(log=file, python=Path(sys.executable)) for file in files]


def made(settings: Settings, logs: Path) -> tuple[str, list[Server]]:
    """Set up what ``demoServer`` names; where DynamoDB Local can't be had, moto takes its place, which is said.

    :param logs: the folder of their logs
    :returns: the program's name, and a server for the source and one for the destination
    :raises SetupError: neither can be set up
    """
    if program.INSTALLED:
        return _NAMES[MOTO], _of_a_wheel(settings, logs)
    kind = settings.demo_server
    if not _set_up(kind):
        if kind == MOTO:
            raise SetupError("moto", "could not be set up", "The demo needs it", "See above for what went wrong")
        output.say(
            "DynamoDB Local can't be set up here, see above: the demo takes moto's server, as demoServer=moto does."
        )
        kind = MOTO
        if not _set_up(kind):
            remedy = "See above for what went wrong"
            raise SetupError("DynamoDB Local and moto", "could not be set up", "The demo needs one of them", remedy)
    files = [logs / f"{kind}-{role}.log" for role in ("source", "destination")]
    return _NAMES[kind], [MotoServer(log=file) if kind == MOTO else DynamoDBLocal(log=file) for file in files]


def _set_up(part: str) -> bool:
    return subprocess.run([program.ROOT / "setup.sh", part], check=False).returncode == 0
