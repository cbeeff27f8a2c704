"""A daemon's slot: its number among the daemons of its task on this machine, and its folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import socket
from pathlib import Path

from processor.errors import SetupError
from processor.settings.settings import Settings
from processor.system import private_files, program
from processor.system.private_files import NotOursError

# Daemons of one task on one machine: far more than its memory holds.
MAX_SLOTS = 256


class Slot:
    """This daemon's number among the daemons of its task on this machine, held by a file lock while it lives.

    A daemon of many tasks has a slot of its own, whose worker id all of its tasks bear, and one for each of them.

    A daemon with the same worker id after a restart takes its leases back at once, while one with a new id waits until
    they expire. But no two living daemons may share an id.
    """

    def __init__(self, directory: Path, number: int, descriptor: int) -> None:
        self.directory = directory
        self.number = number
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back while this process lives on."""
        os.close(self._descriptor)

    @property
    def worker_id(self) -> str:
        """Host, machine, checkout and slot: the same after a restart, and nowhere else at the same time."""
        machine = Path("/etc/machine-id")
        parts = (str(program.ROOT), machine.read_text() if machine.exists() else "", str(self.directory))
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]
        host = re.sub(r"[^a-zA-Z0-9.-]", "-", socket.gethostname())
        return f"{host}-{digest}-{self.number}"


def claim_slot(settings: Settings, *, directory: Path | None = None) -> Slot:
    """Take the first free slot. Its lock goes with this process, through ``exec``, and ends with it.

    The JVM of a daemon of many tasks holds its tasks' slots by locks of its own (``SlotLock.java``): the process that
    has claimed them may end before it.

    :param directory: of the one slot that is meant, which this process's own JVM may hold
    :raises SetupError: the log directory can't be written, or every slot is taken
    """
    task_directory = Path(settings.log_directory) / settings.task_name
    for number in range(MAX_SLOTS):
        slot = task_directory if number == 0 else task_directory / f"daemon-{number + 1}"
        if directory not in (None, slot):
            continue
        descriptor = make_log_directory(slot, settings)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if directory is None:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while a JVM holds it
                fcntl.lockf(descriptor, fcntl.LOCK_UN)
        except OSError:
            os.close(descriptor)
        else:
            os.set_inheritable(descriptor, True)  # noqa: FBT003  # it takes no keyword
            return Slot(slot, number, descriptor)
    value = f"{MAX_SLOTS} daemons run on this machine already"
    raise SetupError(f"Task {settings.task_name}", value, "This one was not started", "Start it on another machine")


def make_log_directory(directory: Path, settings: Settings) -> int:
    """Make it, or check that it and everything in it is ours.

    :returns: a descriptor of its lock's file
    :raises SetupError: it can't be written, or others could change what is in it
    """
    shared = settings.allow_shared_folders
    what, nothing = f"Log directory {directory}", "Nothing was started"
    try:
        private_files.make_folder(directory, shared=shared)
        private_files.check_content(directory)
        return private_files.open_file(directory / "daemon.lock", os.O_RDWR | os.O_CREAT, shared=shared)
    except NotOursError as exc:
        consequence = f"{private_files.OTHERS}. {nothing}"
        raise SetupError(what, str(exc), consequence, f"{exc.remedy} in logDirectory") from exc
    except OSError as exc:
        remedy = "Set logDirectory to one that can"
        raise SetupError(what, f"can't be written ({exc})", nothing, remedy) from exc
