"""docs/deploy.md, typed as root would type it: on a machine's ``/opt`` and ``/etc`` that no other process sees."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import javaproperties
import pytest

from processor.startup import java
from tests import pages
from tests.fakes.machine import image
from tests.fakes.patience import PATIENCE_SECONDS
from tests.scenarios.conftest import Pair

# The machine's /opt, and its /etc as a layer above ours; then a block in a folder.
_IN_NAMESPACE = """
mount --bind "$1/opt" /opt
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" /etc
cd "$2"
exec bash -euo pipefail -c "$3"
"""
# What a test has no rights, network or service manager for. Each does the part of it that the steps depend on.
_PROGRAMS = {
    "sudo": 'exec "$@"',
    "scp": 'to="$MACHINE/home"; while [ $# -gt 1 ]; do cp "$1" "$to"; shift; done; [ "$1" = HOST: ]',
    # Without pip, which would be fetched from; its own in its place.
    "python3": f"""
        [ "$1 $2" = "-m venv" ]
        {sys.executable} -m venv --without-pip "$3"
        cp "$MACHINE/bin/pip" "$3/bin/pip"
    """,
    # What the locks pin is the checkout's own packages; the wheel is installed by the real one.
    "pip": f"""
        environment="$(dirname "$(dirname "$0")")"
        case "$*" in
            *" -r "*) for lock; do :; done; grep -q -- --hash=sha256: "$lock"
                for packages in "$environment"/lib/python3*/site-packages; do
                    echo {sysconfig.get_path("purelib")} >"$packages/dependencies.pth"
                done ;;
            *) {sys.executable} -m pip --python "$environment/bin/python3" "$@" --quiet --no-index ;;
        esac
    """,
    "systemctl": """
        case "$1" in
            daemon-reload) cp -r /etc/systemd/system "$MACHINE/loaded" ;;
            enable)
                unit="$MACHINE/loaded/${3%@*}@.service"
                command="$(sed -n 's/^ExecStart=//p' "$unit" | sed "s/%i/${3#*@}/")"
                REPLICATION_LOG_DIRECTORY="$MACHINE/state" ${command%% *} check ${command#* } >"$MACHINE/journal" ;;
        esac
    """,
    "journalctl": '[ "$1" = --unit ] && cat "$MACHINE/journal"',
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Where the steps lead, empty but for the programs."""
    for name in ("bin", "home", "opt", "etc", "work"):
        (tmp_path / name).mkdir()
    for name, text in _PROGRAMS.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\nset -eu\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def test_a_machine_is_made_as_the_page_says(machine: Path, pair: Pair) -> None:
    """The wheel is made, brought there and installed; the service is started from what the steps have put there."""
    if not image.can_build():
        pytest.skip("this machine makes no namespaces for us")
    make, install, start = [block.text for block in pages.typed("deploy.md")]
    orders = machine / "orders.properties"
    orders.write_text(javaproperties.dumps(pair.settings | {"dontPublishCloudwatch": "true"}, timestamp=False))
    checkout = _checkout(machine)
    _type(machine, checkout, make)
    _type(machine, machine / "home", install)
    said = _type(machine, machine / "home", start)
    assert "ready" in said
    assert sorted(path.name for path in (machine / "etc/dynamodb-replicator").iterdir()) == ["orders.properties"]


def _checkout(machine: Path) -> Path:
    """This one, and the user's properties file in it, as far as the steps ask for it."""
    folder = machine / "checkout"
    folder.mkdir()
    for name in ("setup.sh", "requirements-setup.lock", "requirements.lock", "deploy", "dist"):
        (folder / name).symlink_to(java.ROOT / name)
    (folder / "orders.properties").symlink_to(machine / "orders.properties")
    return folder


def _type(machine: Path, folder: Path, block: str) -> str:
    """Type a block; returns what was printed."""
    ended = subprocess.run(
        ["unshare", "--mount", "sh", "-euc", _IN_NAMESPACE, "sh", machine, folder, block],
        env={**os.environ, "PATH": f"{machine / 'bin'}:{os.environ['PATH']}", "MACHINE": str(machine)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.returncode == 0, f"{block}\n{ended.stdout}"
    return ended.stdout
