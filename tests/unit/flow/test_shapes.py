"""Types are made ready by one thread at a time: two at once would end the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import msgspec

from processor.flow import shapes
from processor.startup import java

# New types again and again, each used first by eight threads at once, between which Python changes at every moment. Of
# msgspec's own function, it dies within the first of them.
_RACE = """
import sys, threading
from typing import Annotated
import msgspec
from processor.flow import shapes

sys.setswitchinterval(1e-6)
wrong = []
for _ in range(200):
    inner = msgspec.defstruct("Inner", [("number", int | None), ("names", dict[str, str | None])])
    outer = msgspec.defstruct("Outer", [("inner", inner | None), ("least", Annotated[int, msgspec.Meta(ge=0)])])
    together = threading.Barrier(8)

    def use():
        together.wait()
        made = {use}
        if made.inner.number != 1 or made.least != 2:
            wrong.append(made)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
sys.exit(len(wrong))
"""
_USES = (
    'shapes.convert({"inner": {"number": 1, "names": {}}, "least": 2}, outer)',
    'shapes.decode(b\'{"inner": {"number": 1, "names": {}}, "least": 2}\', outer)',
    'shapes.decoder(outer).decode(b\'{"inner": {"number": 1, "names": {}}, "least": 2}\')',
)


class Shape(msgspec.Struct):
    """One that nobody has used yet."""

    number: int


def test_threads_that_use_a_type_first() -> None:
    """All of them get what they asked for, by whichever of the functions."""
    for use in _USES:
        race = subprocess.run(
            [sys.executable, "-c", _RACE.replace("{use}", use)],
            cwd=java.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert race.returncode == 0, race.stderr


def test_a_process_that_is_forked_while_a_thread_makes_a_type_ready() -> None:
    """It has its types all the same."""
    holds, done = threading.Event(), threading.Event()

    def make_many() -> None:
        while not done.is_set():
            shapes.decoder(msgspec.defstruct("Made", [("inner", Shape | None)]))
            holds.set()

    thread = threading.Thread(target=make_many)
    thread.start()
    try:
        assert holds.wait(60)
        for _ in range(20):
            child = os.fork()
            if child == 0:
                signal.alarm(60)  # rather than wait for ever for a lock that nobody gives back
                os._exit(shapes.convert({"number": 3}, Shape).number)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    finally:
        done.set()
        thread.join()
