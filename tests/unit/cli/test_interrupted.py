"""Ctrl-C before the command has a handler of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

# A finder is asked for each module that is imported; this one presses Ctrl-C at the first of the command's.
_PROGRAM = """
import os, runpy, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == "processor.cli.main":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
signal.signal(signal.SIGINT, {handler})
sys.argv = ["run.sh", "--version"]
runpy.run_module("processor", run_name="__main__")
"""


def test_ctrl_c_while_modules_are_imported_is_no_traceback() -> None:
    """It ends as any program that the signal ends: a shell says 130."""
    ended = _ended("signal.default_int_handler")
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_a_signal_that_is_ignored_stays_so() -> None:
    """As after ``&``."""
    ended = _ended("signal.SIG_IGN")
    assert (ended.returncode, ended.stderr) == (0, "")


def _ended(handler: str) -> subprocess.CompletedProcess[str]:
    program = _PROGRAM.format(handler=handler)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
