"""Log lines."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator

import pytest

from processor.reporting import logs
from processor.reporting.logs import JSON, TEXT, Log
from processor.startup import java
from tests.fakes.daemon.log_line import parse_json, parse_text

# The daemon forwards lines that match this to the console (CONSOLE_LINE in its class LogLines).
SOURCE = java.ROOT / "daemon/src/main/java/replicator/log/LogLines.java"
CONSOLE_LINE = re.compile(r'(\S+ |\{"time":"[^"]*","level":")(NOTICE|WARNING|ERROR|CRITICAL)\b.*', re.DOTALL)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged goes here; the process's own logging is put back."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], (root.level, logging.getLogger("processor").level)
    made = io.StringIO()
    logs.configure(made)
    yield made
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    logging.getLogger("processor").setLevel(levels[1])


def test_a_line_is_a_time_a_level_an_event_and_pairs(stream: io.StringIO) -> None:
    """A line reads ``time LEVEL event name=value …`` in UTC, with the common fields first and empty ones left out."""
    Log(shard="s-1", task="t").info("applied", records=3, lag=None)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO applied shard=s-1 task=t records=3\n", stream.getvalue()
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a.b:c/d+e%f-g_h", "a.b:c/d+e%f-g_h"),
        ("two words", '"two words"'),
        ("", '""'),
        ('say "x"', r'"say \"x\""'),
        ("a=b", '"a=b"'),
        ("line\nline\r", r'"line\nline\r"'),
        ("é", '"é"'),
    ],
)
def test_a_value_never_breaks_its_line(stream: io.StringIO, value: str, written: str) -> None:
    """A value with anything but plain characters is quoted as JSON, so that an event stays one line."""
    Log().info("event", value=value)
    assert stream.getvalue().endswith(f" event value={written}\n")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("form", [TEXT, JSON])
def test_notices_and_worse_reach_the_console(stream: io.StringIO, form: str) -> None:
    """The daemon shows an operator what is NOTICE or worse, and not what is INFO, in either form."""
    written = CONSOLE_LINE.pattern.replace("\\", "\\\\").replace('"', '\\"')
    assert f'"{written}"' in SOURCE.read_text(), "the daemon's pattern is another one"
    logs.configure(stream, form=form)
    log = Log()
    log.info("a")
    log.notice("b")
    log.warning("c")
    log.error("d")
    lines = stream.getvalue().splitlines()
    assert [bool(CONSOLE_LINE.fullmatch(line)) for line in lines] == [False, True, True, True]


def test_a_trace_follows_its_line(stream: io.StringIO) -> None:
    """``trace`` adds the exception at hand, and an error without one has a line alone."""
    try:
        raise RuntimeError("deep")  # noqa: TRY301  # the trace of this is what is tested
    except RuntimeError:
        Log().error("stopped", trace=True)
    assert stream.getvalue().splitlines()[-1] == "\tRuntimeError: deep"
    Log().error("stopped", trace=True)
    assert stream.getvalue().splitlines()[-1].endswith("ERROR stopped")


def test_a_trace_is_a_field_in_json(stream: io.StringIO) -> None:
    """With logFormat=json an event with a trace is one line still."""
    logs.configure(stream, form=JSON)
    try:
        raise RuntimeError("deep")  # noqa: TRY301  # the trace of this is what is tested
    except RuntimeError:
        Log().error("stopped", trace=True)
    found = parse_json(stream.getvalue().removesuffix("\n"))
    assert found["trace"].startswith("Traceback")
    assert found["trace"].endswith("RuntimeError: deep")


@pytest.mark.parametrize("form", [TEXT, JSON])
def test_what_libraries_warn_of_is_an_event(stream: io.StringIO, form: str) -> None:
    """A library's warning is a line like ours, under one event name, whether it logs or warns."""
    logs.configure(stream, form=form)
    logging.getLogger("urllib3.pool").warning("full: %s", 'a "b"')
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old\nways", DeprecationWarning, stacklevel=1)
    found = [(parse_json if form == JSON else parse_text)(line) for line in stream.getvalue().splitlines()]
    assert [
        (found[0]["event"], found[0]["logger"], found[0]["message"]),
        (found[1]["event"], found[1]["logger"]),
    ] == [("library", "urllib3.pool", 'full: a "b"'), ("library", "py.warnings")]
    assert "old\nways" in found[1]["message"]
