"""The program that keeps a daemon's tasks: ``python -m processor.cli.keeper``, started by the daemon.

What was on the command line of the daemon is in its environment, as JSON.
"""

from __future__ import annotations

import os
import sys

from processor.cli import arguments, many
from processor.cli.registry import REPLICATE
from processor.commands.replicate.keeper import Keeper
from processor.commands.replicate.many import KEPT_VARIABLE, Kept
from processor.flow import shapes
from processor.reporting import logs
from processor.reporting.console import MessageStream
from processor.system.private_files import UMASK
from processor.system.signals import leave_to_parent


def main() -> None:
    """Run until the end of input."""
    leave_to_parent()
    os.umask(UMASK)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a stray print is no answer
    sys.stderr = MessageStream(sys.stderr)
    sys.stdout = sys.stderr
    kept = shapes.decode(os.environ.pop(KEPT_VARIABLE), Kept)
    os.chdir(kept.directory)
    given = arguments.take_named(kept.words)
    logs.configure(form=kept.process["logFormat"])
    watch = many.files(given, REPLICATE, os.environ, directories=kept.directories)
    Keeper(watch, kept.process, worker_id=kept.worker_id, answers=answers).serve(sys.stdin)
    os._exit(0)


if __name__ == "__main__":
    main()
