"""What people read of the commands: over all of Unicode no character moves the cursor, hides or forges a line."""

from __future__ import annotations

import ast
import io
import json
import sys
import traceback
import unicodedata
import warnings
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.live import Live
from rich.table import Table

from processor.reporting import output
from processor.reporting.console import MessageStream, PrintableStream
from processor.reporting.progress import Progress
from processor.reporting.rich_console import PrintableConsole, cell
from processor.startup import java

# All of Unicode, in texts that are short enough for rich.
CHUNK = 2048
EVERY = ["".join(map(chr, range(first, first + CHUNK))) for first in range(0, 0x110000, CHUNK)]
Streams = Callable[[], tuple[io.StringIO, io.StringIO]]
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
FORGED = "harmless\nerror   source table orders: forged\r\x1b]0;title\x07\x1b[2J\u009b2J\u2028\u202e\x85"


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        """See ``TextIO``."""
        return True


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[io.StringIO, io.StringIO]]:
    """Makes standard output and standard error what a command has; called in the test, for pytest sets its own."""

    def make() -> tuple[io.StringIO, io.StringIO]:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdout", PrintableStream(out))
        monkeypatch.setattr(sys, "stderr", MessageStream(err))
        return out, err

    return make


def hidden(text: str) -> set[str]:
    """Characters that a person doesn't see, or that do something."""
    return {hex(ord(each)) for each in set(text) if unicodedata.category(each) in HIDDEN}


def test_a_line_is_one_line(streams: Streams) -> None:
    """Whatever a message or a row has in it."""
    both = streams()
    for text in EVERY:
        output.line(text)
        output.say(text)
    for stream in both:
        lines = stream.getvalue().split("\n")
        assert len(lines) == len(EVERY) + 1
        assert hidden("".join(lines)) == set()


def test_json_stays_json(streams: Streams) -> None:
    """The same value is read from it, and a terminal does nothing of what is in it; in one line or in several."""
    out, _ = streams()
    for text in (text for text in EVERY if not "\ud800" <= text[0] <= "\udfff"):
        for indent in (0, 2):
            out.seek(0)
            out.truncate()
            output.json({"key": text}, indent=indent)
            assert json.loads(out.getvalue()) == {"key": text}
            assert out.getvalue().count("\n") == (3 if indent else 1)
            assert hidden(out.getvalue().replace("\n", "")) == set()


@given(text=st.text())
@example(text="\t")
@example(text="\n\t\tx")
def test_whoever_prints_is_safe(text: str) -> None:
    """A library, a warning or a trace writes to the same streams; on standard error it forges no line."""
    out, err = io.StringIO(), io.StringIO()
    print(text, file=PrintableStream(out))  # type: ignore[call-overload]
    print(text, file=MessageStream(err))  # type: ignore[call-overload]
    lines = err.getvalue().removesuffix("\n").split("\n")
    assert all(not line or line[0] in "\t " for line in lines[1:])
    for line in [*out.getvalue().split("\n"), *lines]:
        assert hidden(line.removeprefix("\t")) == set()


def test_a_trace_and_a_warning_forge_no_line(streams: Streams) -> None:
    """Their texts may be an endpoint's."""
    _, err = streams()
    try:
        raise ValueError(FORGED)  # noqa: TRY301  # its trace is what is tested
    except ValueError:
        traceback.print_exc()
    sys.stderr.write(warnings.formatwarning(FORGED, UserWarning, "file.py", 1))
    said = err.getvalue()
    assert "forged" in said
    assert not any(line.startswith("error ") for line in said.split("\n"))
    assert hidden(said.replace("\n", "").replace("\t", "")) == set()


@pytest.mark.parametrize("live", [False, True])
def test_a_table_draws_nothing_but_its_own(monkeypatch: pytest.MonkeyPatch, *, live: bool) -> None:
    """On a terminal rich writes its styles and cursor movements, and no others, even of a text that nobody escaped."""
    for make in (str, cell):
        drawn = []
        for texts in (["x"], [*EVERY, FORGED] if make is cell else ["x", FORGED]):
            terminal = Terminal()
            monkeypatch.setattr(sys, "stdout", PrintableStream(terminal))
            for text in texts:
                table = Table("[bold]shard", title="leases")
                table.add_row(make(text))
                console = PrintableConsole(width=200)
                if live:
                    with Live(table, console=console, auto_refresh=False):
                        pass
                else:
                    console.print(table)
            drawn.append(terminal.getvalue())
        sequences = [{part.split("m")[0][:8] for part in text.split("\x1b")[1:]} for text in drawn]
        assert {part for part in sequences[1] if part[0] != "["} == set()
        plain = [hidden(text.replace("\n", "").replace("\x1b", "").replace("\r", "")) for text in drawn]
        assert plain == [set(), set()]
        assert "\x1b[2J" not in drawn[1]


def test_progress_draws_nothing_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line in place, by two sequences of its own."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", MessageStream(terminal))
    now = [0.0]
    progress = Progress(clock=lambda: now[0])
    for text in [*EVERY, FORGED]:
        now[0] += 1
        progress.say(text)
    progress.close()
    assert terminal.getvalue().count("\r\x1b[2K") == len(EVERY) + 2
    assert hidden(terminal.getvalue().replace("\r\x1b[2K", "")) == set()


def test_nobody_else_prints() -> None:
    """A line is printed by ``output`` alone, which escapes it whole: a line feed in it, too."""
    found = {
        f"{path.name}:{node.lineno}"
        for path in sorted((java.ROOT / "processor").rglob("*.py"))
        if path.name not in ("output.py", "jar_lock.py")  # set-up runs the latter before the rest is there
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert found == set()
