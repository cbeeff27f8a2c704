"""How a line looks on a terminal: broken between words, with a colour for what matters. A pipe gets it as it is."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Literal, TextIO

Tone = Literal["good", "bad", "doubtful"]
_COLOURS: Mapping[Tone, str] = {"good": "\x1b[32m", "bad": "\x1b[1;31m", "doubtful": "\x1b[33m"}
_PLAIN = "\x1b[0m"
# The first words of a finding (``Finding.lines``), and their tones.
_SEVERITY = re.compile(r"(error|warning)(?=\s)")
_TONES: Mapping[str, Tone] = {"error": "bad", "warning": "doubtful"}
# No further line begins where messages begin: what it says may be an endpoint's words, and look like a message of ours.
_CONTINUED_COLUMNS = 4
# Lines are not broken to less, however narrow the terminal is.
_LEAST_COLUMNS = 40


def columns(stream: TextIO) -> int | None:
    """The width of the terminal that a stream is; None if it is none, or does not say."""
    try:
        if not stream.isatty():
            return None
        given = os.environ.get("COLUMNS", "")
        return max(int(given) if given.isdecimal() and int(given) else os.get_terminal_size(stream.fileno()).columns, 1)
    except (OSError, ValueError):  # a stream that is closed, or a test's
        return None


def is_coloured() -> bool:
    """Whether colours are wanted: https://no-color.org says how one says no."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def broken(line: str, width: int) -> list[str]:
    """A line in lines of at most this many columns, broken between words; each but the first is indented.

    A word that is longer, as an ARN may be, stays whole: so it can be copied.
    """
    if len(line) <= width:
        return [line]
    finding = re.match(r"(error|warning)\s+", line)
    indent = " " * (len(finding[0]) if finding else len(line) - len(line.lstrip()) or _CONTINUED_COLUMNS)
    return wrapped(line, max(width, _LEAST_COLUMNS), indent=indent) or [line]


def wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    """Lines of at most so many columns, broken between words alone: a name with hyphens stays whole, too."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def severity_of(line: str) -> tuple[int, Tone] | None:
    """How many characters of a line are a finding's severity, and its tone; None if it has none."""
    found = _SEVERITY.match(line)
    return (found.end(), _TONES[found[0]]) if found else None


def coloured(line: str, tone: Tone | None = None) -> str:
    """A line with its colour: a finding's severity, or the whole of it.

    :param line: without unprintable characters
    :param tone: of the whole line
    """
    if not is_coloured():
        return line
    if tone is not None:
        return f"{_COLOURS[tone]}{line}{_PLAIN}"
    found = severity_of(line)
    if found is None:
        return line
    end, tone = found
    return f"{_COLOURS[tone]}{line[:end]}{_PLAIN}{line[end:]}"


def laid_out(line: str, stream: TextIO, tone: Tone | None = None) -> Iterator[str]:
    """The lines in which a terminal shows one; the line itself elsewhere.

    :param line: without unprintable characters
    :param tone: of the whole of it
    """
    width = columns(stream)
    if width is None:
        yield line
        return
    yield from (coloured(part, tone) for part in broken(line, width))


def cropped(line: str, stream: TextIO) -> str:
    """A line that is shown in place: cut off at the terminal's width, for what is broken could not be erased."""
    width = columns(stream)
    if width is None or len(line) < width:
        return line
    return f"{line[: max(width - 2, 1)]}…"
