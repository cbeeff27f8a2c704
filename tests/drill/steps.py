"""What a block of a session says: commands behind ``$``, and below each what one then sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# What differs from one time to the next, and what stands for it: what the page leaves out; where a line is broken, or
# spaces are; moments; sequence numbers; seconds and other fractions, and the numbers of a log line's fields. All other
# numbers are as the page has them.
_DIFFERS = re.compile(
    r"(?P<left_out>\s*…\s*)"
    r"|(?P<line>[ ]*\n(?=\S))"
    r"|(?P<space>\s+)"
    r"|(?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+Z?| [\d:]+))"
    r"|(?P<sequence>\d{21})"
    r"|(?P<fraction>\d+\.\d+|(?<=\w=)\d+)"
)
# Lines of a daemon, which writes to the same terminal, may come between two. Each of them begins with a moment.
_BEGINNING = r"^(?:\d\S+Z )?"
_MEANS = {
    "left_out": r"[\s\S]*?",
    "line": rf"(?:\s+|\s*\n(?:.*\n)*?{_BEGINNING})",
    "space": r"\s+",
    "moment": r"\d[\d-]+[T ][\d:.]+Z?",
    "sequence": r"\d+",
    "fraction": r"\d+(?:\.\d+)?",
}


class Step(NamedTuple):
    """A command, and what it shows.

    :param command: with the lines that continue it
    :param shown: what stands below it; empty if nothing does
    """

    command: str
    shown: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """What finds what is shown on a terminal, between other lines, however these are broken."""
        parts, at = [], 0
        text = self.shown.strip()
        for match in _DIFFERS.finditer(text):
            parts += [re.escape(text[at : match.start()]), _MEANS[match.lastgroup or ""]]
            at = match.end()
        end = "" if text.endswith("…") else r"\s*$"
        return re.compile(f"{_BEGINNING}{''.join(parts)}{re.escape(text[at:])}{end}", re.MULTILINE)


def steps(block: str) -> Iterator[Step]:
    """A block's steps; one without ``$`` is all commands, typed at once."""
    if not block.startswith("$ "):
        yield Step(block, "")
        return
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command = re.match(r"(?:.*\\\n)*.*\n", step)
        assert command is not None, step
        yield Step(command[0], step[command.end() :])
