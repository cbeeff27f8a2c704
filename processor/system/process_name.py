"""Names a process so that no other process on any machine has the same name, and tells whether it has ended."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path


def here() -> str:
    """A name for this process, which no other process on any machine has at the same time."""
    parts = [socket.gethostname(), str(os.getpid())]
    for place in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(place.read_text().strip() if place.name == "boot_id" else str(place.readlink()))
        except OSError:  # not Linux: then others watch
            parts.append(uuid.uuid4().hex)
    return "/".join(parts)


def is_gone(process: str) -> bool:
    """Whether it can be known from here that ``process`` (see ``here``) has ended."""
    host, pid, *machine = process.split("/")
    ours = here().split("/")
    if [host, *machine] != [ours[0], *ours[2:]]:
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def name_of(process: str) -> str:
    """A process (see ``here``) in words."""
    host, pid, *_ = process.split("/")
    return f"process {pid} on {host}"
