"""How far a long command says it has come."""

from __future__ import annotations

import io

from processor.reporting.progress import LINE_SECONDS, Progress


class Terminal(io.StringIO):
    """A stream that is one."""

    def isatty(self) -> bool:
        """Like a terminal's."""
        return True


def test_a_pipe_gets_a_line_every_ten_seconds() -> None:
    """However often something is said, a log gets a line now and then."""
    stream, now = io.StringIO(), [0.0]
    progress = Progress(stream=stream, clock=lambda: now[0])
    for second in range(35):
        now[0] = float(second)
        progress.say(f"at {second}")
    progress.close()
    assert stream.getvalue() == "at 10\nat 20\nat 30\n"
    assert LINE_SECONDS == 10


def test_a_terminal_gets_one_line_that_changes() -> None:
    """On a terminal the line is replaced in its place, and is gone at the end."""
    stream, now = Terminal(), [0.0]
    progress = Progress(stream=stream, clock=lambda: now[0])
    for second in (1, 2):
        now[0] = float(second)
        progress.say(f"at {second}")
    progress.close()
    assert stream.getvalue() == "\r\x1b[2Kat 1\r\x1b[2Kat 2\r\x1b[2K"
    quiet = Terminal()
    Progress(stream=quiet).close()
    assert quiet.getvalue() == ""
