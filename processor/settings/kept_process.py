"""What a process that the daemon keeps beside itself begins with, and how it hears the daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from processor.flow import shapes
from processor.reporting import logs
from processor.reporting.console import MessageStream
from processor.settings.daemon_files import handed_down
from processor.settings.settings import Settings
from processor.system.signals import leave_to_parent

Message = TypeVar("Message", bound=msgspec.Struct)


def begun() -> tuple[Settings, Path]:
    """Take the process over from the daemon, which has started it.

    :returns: the settings that it hands down, and the folder in which they are
    """
    leave_to_parent()
    sys.stderr = MessageStream(sys.stderr)
    settings, directory = handed_down(os.environ)
    logs.configure(form=settings.log_format)
    return settings, directory


def listen(lines: Iterable[str], kind: type[Message], hear: Callable[[Message], None]) -> None:
    """Pass the daemon's messages on, until it ends."""
    for line in lines:
        try:
            message = shapes.decode(line, kind)
        except msgspec.DecodeError:
            continue  # half a line, from a daemon that was killed in the middle of it
        hear(message)
