r"""Makes text from outside safe for a terminal and for one line of a log.

Pure. A key, an endpoint's error message or a row of the checkpoint table may hold anything. Some characters would move
the cursor, turn the direction of writing or begin a new line, and so hide or forge what a person reads. They are
written as ``\uXXXX``, as JSON writes them. ``Printable.java`` follows the same rule.
"""

from __future__ import annotations

import re

# Unicode 16's categories Cc, Cf, Zl, Zp and Cs, as ranges, so that Python and Java agree whichever Unicode they know.
# Ranges are merged if only unassigned or private characters lie between them, which no font shows either.
_RANGES = (
    (0x00, 0x1F),  # C0 controls: line feed, tab, escape
    (0x7F, 0x9F),  # delete and C1 controls: next line, control sequence introducer
    (0xAD, 0xAD),  # soft hyphen
    (0x0600, 0x0605),  # Arabic number signs
    (0x061C, 0x061C),  # Arabic letter mark
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x180E, 0x180E),  # Mongolian vowel separator
    (0x200B, 0x200F),  # zero width characters, direction marks
    (0x2028, 0x202E),  # line and paragraph separator, embeddings and overrides of the direction
    (0x2060, 0x206F),  # invisible operators, isolates of the direction
    (0xD800, 0xDFFF),  # halves of surrogate pairs
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF9, 0xFFFB),  # interlinear annotation
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),  # Egyptian hieroglyph format controls
    (0x1BCA0, 0x1BCA3),  # shorthand format controls
    (0x1D173, 0x1D17A),  # musical format controls
    (0xE0001, 0xE007F),  # tags
)


def _character_class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges) + "]"


_HIDDEN = re.compile(_character_class(_RANGES))


def escaped(text: str) -> str:
    r"""``text`` on one line, with ``\uXXXX`` for each character that isn't printable.

    A character beyond U+FFFF becomes two of them, its surrogate pair.
    """
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub(_escape, text)


def escaped_lines(text: str) -> str:
    """The same for text of several lines, such as a traceback: line feeds stay, and tabs at the beginning of a line."""
    return "\n".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    return "\t" + escaped(line[1:]) if line.startswith("\t") else escaped(line)


def _escape(match: re.Match[str]) -> str:
    pair = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pair[at : at + 4]}" for at in range(0, len(pair), 4))
