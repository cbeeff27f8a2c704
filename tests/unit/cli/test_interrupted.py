"""Ctrl-C before the command has a handler of its own, and a second one while it ends."""

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
# A command that is told to end, and told so again while it says so: as an impatient person does, or ``timeout``.
_TWICE = """
import os, signal, sys
from processor.cli import main as cli
from processor.reporting import output

def told(*_):
    os.kill(os.getpid(), signal.SIGTERM)

def say(*lines):
    told()
    said(*lines)

said, output.say, cli._dispatch = output.say, say, told
sys.argv = ["run.sh", "orders.properties"]
cli.console()
"""


def test_ctrl_c_while_modules_are_imported_is_no_traceback() -> None:
    """It ends as any program that the signal ends: a shell says 130."""
    ended = _ended("signal.default_int_handler")
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_a_signal_that_is_ignored_stays_so() -> None:
    """As after ``&``."""
    ended = _ended("signal.SIG_IGN")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_second_signal_does_not_break_off_the_last_words() -> None:
    """It changes nothing any more: the process is ending."""
    ended = subprocess.run([sys.executable, "-c", _TWICE], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "run.sh: stopped before it began. Nothing was replicated.\n")


def _ended(handler: str) -> subprocess.CompletedProcess[str]:
    program = _PROGRAM.format(handler=handler)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
