"""Prints the output of commands: one line or one JSON object at a time. Ends the process if it can't be written.

Each line stays one line, whatever it contains: a key, an endpoint's message or a row of the checkpoint table can
neither begin a new line nor move the cursor (``printable.py``).
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn, Protocol, TextIO

import msgspec

from processor.errors import ReplicatorError
from processor.reporting import terminal
from processor.reporting.console import unfiltered
from processor.reporting.printable import escaped
from processor.reporting.secrets import hidden
from processor.reporting.terminal import Tone

# The shell's exit status for a program that wrote to a pipe which nobody reads any more (128 + SIGPIPE).
CLOSED_PIPE = 141
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class Listener(Protocol):
    """Hears what is printed while a command works on one of several tasks."""

    def introduction(self) -> str:
        """What is to be printed on standard error before what is about to be; empty if nothing."""

    def said(self, lines: tuple[str, ...]) -> None:
        """These lines are printed on standard error."""

    def takes(self, report: Any) -> bool:
        """Take a report that is to be JSON on standard output; False to let it be printed."""


_listener: Listener | None = None
_has_json = False


@contextlib.contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Let everything that is printed meanwhile be heard; for the main thread, and not within itself."""
    global _listener  # noqa: PLW0603  # standard output is one for the process, and so is who hears it
    _listener = listener
    try:
        yield
    finally:
        _listener = None


def introduce() -> None:
    """Before anything is written on standard error: say which task it is about, and keep both streams in order."""
    if _listener is not None:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            if introduction := _listener.introduction():
                print(escaped(introduction), file=sys.stderr, flush=True)


def prepare(*, as_json: bool) -> None:
    """Let every key and name be written, whatever the locale's encoding is.

    What a locale can't encode is written as an escape. JSON is UTF-8 in any locale (RFC 8259).
    """
    global _has_json  # noqa: PLW0603  # as the listener
    _has_json = False
    _configure(sys.stdout, encoding="utf-8" if as_json else None)
    _configure(sys.stderr, encoding=None)


def has_json() -> bool:
    """Whether a report was printed as JSON since ``prepare``."""
    return _has_json


def _configure(stream: TextIO, *, encoding: str | None) -> None:
    configure = getattr(stream, "reconfigure", None)  # a test's stream may not have it
    if configure is not None:
        configure(encoding=encoding or stream.encoding, errors="backslashreplace")


def leave(status: int) -> NoReturn:
    """End this process after writing everything that was printed.

    Calls in progress in other threads are not waited for: they may take half a minute, and a user who interrupts a
    command wants it to end.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError as exc:
        failed = failure(exc)
        status = CLOSED_PIPE if isinstance(exc, BrokenPipeError) else failed.exit_status
        say(str(failed))
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        os._exit(status)
    with contextlib.suppress(OSError):  # otherwise Python would try to write the rest again, and print a traceback
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(status)


def say(*lines: str) -> None:
    """Print lines on standard error, if that can be written."""
    introduce()
    if _listener is not None:
        _listener.said(lines)
    with contextlib.suppress(OSError):
        shown = unfiltered(sys.stderr)
        for each in lines:
            # Without secrets before it is broken: what is hidden by its form may have a space in it.
            print(*terminal.laid_out(hidden(escaped(each)), shown), sep="\n", file=shown)
        shown.flush()


def line(text: str = "", *, flush: bool = False, tone: Tone | None = None) -> None:
    """Print one line on standard output; with ``flush`` if the next may take long.

    :param tone: by which a terminal colours it, and breaks it between words: it is a sentence. Any other line may be a
        key or a command, which is to be copied as it is
    """
    shown = unfiltered(sys.stdout)
    text = escaped(text)
    lines = [text] if tone is None else terminal.laid_out(text, shown, tone)
    print(*lines, sep="\n", file=shown, flush=flush)


def json(report: Any, *, indent: int = 0) -> None:
    r"""Print a JSON object on standard output, on one line unless ``indent`` is given.

    JSON requires escapes only for C0 controls; here every character that a terminal would interpret is ``\uXXXX``.
    """
    global _has_json  # noqa: PLW0603  # as the listener
    if _listener is not None and _listener.takes(report):
        return
    _has_json = True
    text = msgspec.json.encode(report)
    text = msgspec.json.format(text, indent=indent) if indent else text
    print("\n".join(map(escaped, text.decode().split("\n"))), flush=True)


class JsonList:
    """A JSON list on standard output, with each element on a line of its own as soon as it is known.

    In its context: whatever ends that, the list is ended, too.
    """

    def __init__(self) -> None:
        self._before = "["

    def add(self, report: Any) -> None:
        """Print one more element."""
        global _has_json  # noqa: PLW0603  # as the listener
        _has_json = True
        print(self._before + escaped(msgspec.json.encode(report).decode()), flush=True)
        self._before = ","

    def __enter__(self) -> JsonList:  # noqa: PYI034  # Self came with Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not BrokenPipeError:
            print("[]" if self._before == "[" else "]", flush=True)


def failure(exc: OSError) -> ReplicatorError:
    """The operating system's error, in words."""
    what = str(exc.filename or "Standard output")
    if isinstance(exc, BrokenPipeError):
        return ReplicatorError(f"{what}: nobody reads it any more, so this ends here. What was done stays done.")
    if exc.errno in _NO_ROOM:
        reason, remedy = f"there is no room to write it ({exc.strerror})", "Make room"
    else:
        what = str(exc.filename or "A file, or the operating system")
        reason, remedy = exc.strerror or type(exc).__name__, "Put that right"
    return ReplicatorError(f"{what}: {reason}. What was done stays done. {remedy}, and give the same command again.")
