"""A command for the daemon's own task: ``python -m processor.cli.of_task COMMAND OPTIONS``, started by a caretaker.

The settings are those that the daemon hands down, not a file's. When standard input ends, the process that waits has
ended or wants no more, and the command stops as after SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from processor.cli import main
from processor.reporting import output
from processor.settings.daemon_files import handed_down
from processor.system.private_files import UMASK


def _stop_with_input() -> None:
    # Not sys.stdin: its lock, held by this thread, would abort the interpreter at the command's own end.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    os.umask(UMASK)
    found, _ = handed_down(os.environ)
    threading.Thread(target=_stop_with_input, name="input", daemon=True).start()
    output.leave(main.main(sys.argv[1:], settings=found))
