"""Lines on terminals of any width, in colour or not, and in a pipe."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable

import pytest

from processor.commands.status import render
from processor.reporting import output, progress, terminal
from processor.reporting.console import MessageStream, PrintableStream
from processor.reporting.findings import error, warning
from processor.reporting.rich_console import Message, PrintableConsole
from tests.unit.commands.status.test_overview import _status

WIDTHS = [60, 80, 120, 200]
ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/a-table-with-a-long-name/stream/2026-11-27T20:31:10.123"
FINDINGS = [
    error("stream-off", f"stream {ARN}", "is off", "Changes leave no trace to replicate", "Turn it on with one"),
    warning("destination-ttl", "destination table orders", "deletes items", "It may lack items", "Turn TTL off there"),
]
_STYLE = re.compile(r"\x1b\[[\d;]*m")


class Terminal(io.StringIO):
    """A terminal of no file."""

    def isatty(self) -> bool:
        """It is one."""
        return True


Make = Callable[..., Terminal]


@pytest.fixture
def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes both streams a terminal of so many columns, which has what was written there."""

    def make(columns: int) -> Terminal:
        made = Terminal()
        monkeypatch.setattr(sys, "stdout", PrintableStream(made))
        monkeypatch.setattr(sys, "stderr", MessageStream(made))
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        return made

    return make


@pytest.mark.parametrize("width", WIDTHS)
def test_findings_are_broken_between_words(terminal_of: Make, width: int) -> None:
    """No line is wider than the terminal but for a word that is wider by itself, which stays whole; none is lost."""
    shown = terminal_of(width)
    for finding in FINDINGS:
        output.say(*finding.lines)
    text = _STYLE.sub("", shown.getvalue())
    assert all(len(line) <= width or len(line.split()) <= 2 for line in text.splitlines())
    assert text.split() == " ".join(line for finding in FINDINGS for line in finding.lines).split()
    assert [line.split()[0] for line in text.splitlines() if not line.startswith(" ")] == ["error", "warning"]


@pytest.mark.parametrize("width", WIDTHS)
def test_status_shows_findings_as_check_does(terminal_of: Make, width: int) -> None:
    """The same lines, indented where they go on, and the same colours."""
    shown = terminal_of(width)
    for finding in FINDINGS:
        output.say(*finding.lines)
    said = shown.getvalue()
    shown = terminal_of(width)
    console = PrintableConsole(width=width)
    for finding in FINDINGS:
        for line in finding.lines:
            console.print(Message(line))
    drawn = [line.rstrip() for line in _STYLE.sub("", shown.getvalue()).splitlines()]
    if len(ARN) < width:  # else rich breaks the ARN, which a line that is said leaves whole
        assert drawn == [line.rstrip() for line in _STYLE.sub("", said).splitlines()]
    assert "".join(drawn).replace(" ", "") == "".join(_STYLE.sub("", said).split())


@pytest.mark.parametrize("width", WIDTHS)
def test_a_verdict_is_broken_between_words(terminal_of: Make, width: int) -> None:
    """It is a sentence, as those of findings; a line without a tone may be a key, and stays as it is."""
    verdict = (
        "orders (us-east-1) -> orders-copy (eu-west-1): ready: copy will make the destination and turn the stream on"
    )
    shown = terminal_of(width)
    output.line(verdict, tone="good")
    lines = shown.getvalue().splitlines()
    assert all(len(_STYLE.sub("", line)) <= width for line in lines)
    assert all(line.startswith("\x1b[32m") and line.endswith("\x1b[0m") for line in lines)
    assert " ".join(_STYLE.sub("", shown.getvalue()).split()) == verdict
    shown = terminal_of(width)
    output.line("key " * 60)
    assert shown.getvalue() == "key " * 60 + "\n"


def test_no_further_line_looks_like_a_message(terminal_of: Make) -> None:
    """What is broken may be an endpoint's words, which begin like a finding just where the line is broken."""
    for padding in range(30, 70):
        shown = terminal_of(60)
        output.say(f"run.sh: {'x' * padding} error   forged: is wrong. warning forged, too, and so on, for a while")
        first, *others = shown.getvalue().splitlines()
        assert first.startswith("run.sh:")
        assert all(line.startswith("    ") for line in others)
        assert "\x1b" not in shown.getvalue()


def test_a_finding_has_the_colour_of_its_severity(terminal_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red and yellow; with NO_COLOR, and on a terminal that has none, there is no escape sequence at all."""
    shown = terminal_of(200)
    output.say(*FINDINGS[0].lines, *FINDINGS[1].lines)
    output.line("all: ready", tone="good")
    for painted in ("\x1b[1;31merror\x1b[0m  ", "\x1b[33mwarning\x1b[0m ", "\x1b[32mall: ready\x1b[0m\n"):
        assert painted in shown.getvalue()
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)
        shown.seek(0)
        shown.truncate()
        output.say(*FINDINGS[0].lines)
        output.line("all: ready", tone="good")
        assert "\x1b" not in shown.getvalue()
        monkeypatch.delenv(name)


def test_a_pipe_gets_the_lines_as_they_are(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither broken nor coloured, whatever the environment says of a terminal."""
    monkeypatch.setenv("COLUMNS", "20")
    output.say(*FINDINGS[0].lines)
    output.line("all: ready", tone="good")
    printed = capsys.readouterr()
    assert printed.err.splitlines() == list(FINDINGS[0].lines)
    assert printed.out == "all: ready\n"


def test_a_secret_is_hidden_before_a_line_is_broken(terminal_of: Make) -> None:
    """Its form may have a space in it, at which the line would be broken."""
    shown = terminal_of(60)
    output.say("error   something went wrong, and the answer had X-Amz-Security-Token: not-to-be-seen-by-anybody")
    assert "not-to-be-seen" not in shown.getvalue()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_bar_has_the_time_left(terminal_of: Make, width: int) -> None:
    """However narrow the terminal is, what people look for is not what is cut."""
    shown = terminal_of(width)
    with progress.Bar() as bar:
        for items in range(0, 1001, 100):
            bar.update(items, 100_000, "1,234.5 read units, 12,345.0 write units, 0 throttles, on 3 machines")
            assert bar._bar is not None
            bar._bar.refresh()
    lines = [_STYLE.sub("", line) for line in re.split(r"[\r\n]", shown.getvalue()) if "items/s" in line]
    assert lines
    assert all(re.search(r"1% +[\d:-]+ left +[\d,]+ items/s", line) for line in lines[-1:]), lines[-1]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_line_in_place_is_one_line(terminal_of: Make, width: int) -> None:
    """What is broken could not be erased."""
    shown = terminal_of(width)
    now = [0.0]
    lines = progress.Progress(clock=lambda: now[0])
    now[0] = 1.0
    lines.say("word " * 100)
    assert len(shown.getvalue().removeprefix("\r\x1b[2K")) < width
    assert terminal.columns(io.StringIO()) is None


@pytest.mark.parametrize("width", WIDTHS)
def test_the_status_of_shards_has_whole_headings(terminal_of: Make, width: int) -> None:
    """Each column's name stays in one piece; a narrow terminal does without checkpoints."""
    shown = terminal_of(width)
    report = _status("orders").report
    assert report is not None
    PrintableConsole(width=width).print(render.render(report))
    text = _STYLE.sub("", shown.getvalue())
    (heading,) = [line for line in text.splitlines() if line.startswith("shard ") and "owner" in line]
    assert heading.split() == ["shard", "state", "lag", "owner", *(["checkpoint"] if width >= 100 else []), "note"]
