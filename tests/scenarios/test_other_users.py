"""Real commands beside other users of the machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from processor.startup import java
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.other_user import give_away
from tests.fakes.network.faulty_server import free_port
from tests.scenarios.conftest import Pair

MakeReplicator = Callable[..., Replicator]


def _wide(folder: Path) -> dict[str, str]:
    """What others than the owner may do something with."""
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in [folder, *folder.rglob("*")] if not path.is_symlink()}
    return {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077}


def test_all_that_a_daemon_makes_is_its_own(pair: Pair, tmp_path: Path) -> None:
    """With a shell's umask of 000: folders, logs, settings, locks, and what children and exporter make."""
    program = ["/bin/sh", "-c", 'umask 000; exec "$0" "$@"', str(java.ROOT / "run.sh")]
    with Replicator(tmp_path / "all", pair.settings | {"metricsPort": str(free_port())}, program=program) as running:
        pair.put("a")
        pair.wait_for("a")
        made = {path.name for path in running.log_directory.rglob("*")}
        assert made >= {
            "daemon.properties",
            "child.json",
            "kcl.log",
            "replication.log",
            "daemon.lock",
            "terms",
            "holds",
        }
        assert _wide(running.log_directory) == {}
        assert running.stop() == 0
    assert _wide(running.log_directory) == {}


def test_a_folder_that_another_user_made_first_is_refused(pair: Pair, replicator: MakeReplicator) -> None:
    """Nothing starts there, and nothing is written there: whoever has it could swap ``daemon.properties``."""
    running = replicator(pair.settings)
    shared = running.log_directory
    folder = shared / pair.settings["taskName"]
    folder.mkdir(parents=True)
    shared.chmod(0o1777)
    planted = folder / "daemon.properties"
    planted.write_text("executableName = /bin/false\n")
    said = give_away(folder)
    running.start()
    assert running.wait() == 22
    for words in (said, str(folder), "run programs as this user", "Nothing was started", "logDirectory"):
        assert words in running.console
    assert [path.name for path in folder.iterdir()] == ["daemon.properties"]


def test_a_folder_that_others_can_write_is_refused(pair: Pair, replicator: MakeReplicator) -> None:
    """Our own, too, and the one above it; until that is put right, as the message says."""
    running = replicator(pair.settings)
    shared = running.log_directory
    shared.mkdir(parents=True)
    shared.chmod(0o777)
    running.start()
    assert running.wait() == 22
    assert f"chmod go-w {shared}" in running.console
    assert list(shared.iterdir()) == []
    shared.chmod(0o755)
    (shared / pair.settings["taskName"]).mkdir(mode=0o700)
    (shared / pair.settings["taskName"]).chmod(0o777)
    running.start()
    assert running.wait() == 22
    os.chmod(shared / pair.settings["taskName"], 0o700)  # noqa: PTH101  # as the message says
    with running:
        pair.put("a")
        pair.wait_for("a")
        assert running.stop() == 0
