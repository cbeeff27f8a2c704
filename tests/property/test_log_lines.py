"""Log lines: one event each, the same in both forms, whoever writes them and whatever they hold."""

from __future__ import annotations

import base64
import io
import logging
import math
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.reporting import logs
from processor.reporting.logs import JSON, TEXT, Log
from processor.reporting.printable import escaped, escaped_lines
from tests.fakes.daemon.log_line import as_text, parse_json, parse_text
from tests.fakes.java.java_program import JavaProgram

NAMES = st.from_regex(r"[a-z][a-z_]{0,9}", fullmatch=True)
# Quotes, breaks of every kind, what only looks like a break, and halves of characters.
PIECES = [*'ab =\\"{}[]\n\r\t\0\x1f\x7f\x85é\u2028\ud800\U0001f600', "\r\n", '"}', "%s", "{}"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
WHOLE_TEXTS = TEXTS.map(lambda text: text.replace("\ud800", ""))
VALUES = st.one_of(TEXTS, st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.binary(max_size=8))


@pytest.fixture(scope="module")
def out() -> Iterator[io.StringIO]:
    """What is logged goes here; the process's own logging is put back."""
    root, ours = logging.getLogger(), logging.getLogger("processor")
    before = root.handlers[:], root.level, ours.level
    yield io.StringIO()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.captureWarnings(capture=False)


def _line(out: io.StringIO, form: str, event: str, fields: dict[str, object]) -> str:
    out.seek(0)
    out.truncate()
    logs.configure(out, form=form)
    Log().notice(event, **fields)
    line = out.getvalue()
    assert line.count("\n") == 1
    return line.removesuffix("\n")


@given(event=NAMES, fields=st.dictionaries(NAMES.filter(lambda name: name != "event"), VALUES, max_size=5))
def test_both_forms_say_the_same(out: io.StringIO, event: str, fields: dict[str, object]) -> None:
    """Any event is one line in either form, with the same names and values; in JSON numbers are numbers."""
    fields = {f"{name}_field": value for name, value in fields.items()}
    text, entry = (
        parse_text(_line(out, TEXT, event, fields)),
        parse_json(_line(out, JSON, event, fields)),
    )
    del text["time"], entry["time"]
    assert text == {name: as_text(value) for name, value in entry.items()}
    assert {"level": "NOTICE", "event": event} == {name: entry.pop(name) for name in ("level", "event")}
    numbers = {
        name: value
        for name, value in fields.items()
        if isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value))
    }
    assert entry == {name: numbers.get(name, str(value)) for name, value in fields.items() if value is not None}


class Java(JavaProgram):
    """One JVM for all examples."""

    def __init__(self) -> None:
        super().__init__("JavaEvents.java")

    def lines(self, *parts: str) -> tuple[str, str]:
        """The event's line as text and as JSON."""
        answer = self.ask(" ".join(base64.b64encode(part.encode()).decode() for part in parts))
        text, _, entry = answer.partition(" ")
        assert entry, answer
        made = [base64.b64decode(each).decode() for each in (text, entry)]
        assert all(line.endswith("\n") for line in made)
        return made[0].removesuffix("\n"), made[1].removesuffix("\n")


@pytest.fixture(scope="module")
def jvm() -> Iterator[Java]:
    """A JVM that answers until the tests are over."""
    made = Java()
    yield made
    made.kill()


@given(event=NAMES, value=WHOLE_TEXTS, note=WHOLE_TEXTS)
def test_the_daemon_writes_as_its_children_do(out: io.StringIO, jvm: Java, event: str, value: str, note: str) -> None:
    """An event of the daemon is written as the same event of a child is, in both forms."""
    fields: dict[str, object] = {"field": value, "count": 3, "note": note}
    found_text, found_json = jvm.lines("notice", event, "field", value, note)
    expected_text = parse_text(_line(out, TEXT, event, fields))
    expected_json = parse_json(_line(out, JSON, event, fields))
    times = {"time": ""}
    assert expected_text | times == parse_text(found_text) | times
    assert expected_json | times == parse_json(found_json) | times


@given(message=WHOLE_TEXTS)
def test_what_a_library_says_is_one_object(jvm: Java, message: str) -> None:
    """In JSON a library's line has an event too, and its trace is a field; nothing breaks the line."""
    found = parse_json(jvm.lines("library", message)[1])
    expected = {"level": "WARNING", "event": "library", "logger": "some.Library", "message": message}
    assert expected == {name: found[name] for name in expected}
    failure = parse_json(jvm.lines("failure", message)[1])
    assert failure["trace"].startswith("java.lang.IllegalStateException")
    assert "JavaEvents" in failure["trace"]


@given(output=WHOLE_TEXTS.filter(lambda text: "\n" not in text and "\r" not in text))
def test_a_childs_line_is_passed_on_as_it_came(out: io.StringIO, jvm: Java, output: str) -> None:
    """What a child wrote is in replication.log as it wrote it, printable; in JSON what is no event becomes one."""
    shard = "shardId-1"
    indent, rest = ("\t", output[1:]) if output.startswith("\t") else ("", output)  # as a line of a trace
    assert indent + escaped(rest) == jvm.lines("child", shard, output)[0]
    found = parse_json(jvm.lines("child", shard, output)[1])
    assert (found["event"], found["shard"], found["message"]) == ("child_output", shard, output)
    for form in (TEXT, JSON):
        line = _line(out, form, "applied", {"value": output})
        assert line == jvm.lines("child", shard, line)[form == JSON]


# A character that isn't one of these does something to a terminal, or to a line, or can't be seen.
SEEN = {
    "Lu",
    "Ll",
    "Lt",
    "Lm",
    "Lo",
    "Mn",
    "Mc",
    "Me",
    "Nd",
    "Nl",
    "No",
    "Pc",
    "Pd",
    "Ps",
    "Pe",
    "Pi",
    "Pf",
    "Po",
    "Sm",
}
SEEN |= {"Sc", "Sk", "So", "Zs", "Co", "Cn"}
CHUNK = 2048
CHUNKS = [range(first, first + CHUNK) for first in range(0, 0x110000, CHUNK) if not 0xD800 <= first < 0xE000]


def _unseen(text: str) -> set[str]:
    return {hex(ord(each)) for each in set(text) if unicodedata.category(each) not in SEEN}


def test_no_character_hides_or_forges_anything(out: io.StringIO, jvm: Java) -> None:
    """Over all of Unicode: whatever a field, a library, a child or an exception says, all of it can be seen."""
    for chunk in CHUNKS:
        text = "".join(map(chr, chunk))
        fields: dict[str, object] = {"field": text, "count": 3, "note": ""}
        for form, found in zip((TEXT, JSON), jvm.lines("notice", "event", "field", text, ""), strict=True):
            ours = _line(out, form, "event", fields)
            assert _unseen(ours) == _unseen(found) == set(), chunk
            parse = parse_text if form == TEXT else parse_json
            assert parse(ours)["field"] == parse(found)["field"] == text
        assert escaped(f"> {text}") == jvm.lines("child", "s", f"> {text}")[0]
        said = [*jvm.lines("library", text), *jvm.lines("failure", text)]
        assert _unseen("".join(said).replace("\n\t", "")) == set(), chunk
        assert [line.count("\n") == line.count("\n\t") for line in said] == [True] * len(said)


def test_the_daemon_s_console_shows_each_reason(jvm: Java) -> None:
    """A child's line that an operator must see is there, whole, as one line; so is what a library prints."""
    for chunk in CHUNKS:
        text = "".join(map(chr, chunk))
        for begin in (
            "2026-01-01T00:00:00.000Z ERROR stopped key=",
            '{"time":"2026","level":"ERROR","event":"stopped","key":"',
        ):
            line, printed = jvm.lines("console", begin + text)
            assert line.rstrip("\n") == escaped(begin + text), chunk
            assert _unseen(printed.replace("\n\t", "").rstrip("\n")) == set(), chunk
    assert jvm.lines("console", "2026-01-01T00:00:00.000Z INFO applied")[0] == ""
    forged = jvm.lines("console", "some.Exception: text\n2026-01-01T00:00:00.000Z ERROR stopped forged")[1]
    assert "\n\t2026" in forged


def test_half_a_character_is_written_as_one() -> None:
    """A surrogate, which no encoding takes, is escaped; so is whatever Python's Unicode calls a control or a format."""
    every = "".join(map(chr, range(0x110000)))
    assert _unseen(escaped(every)) == set()
    assert escaped("a\ud800b\U000e0041") == r"a\ud800b\udb40\udc41"
    assert escaped_lines("a\n\x1b[2Jb\r") == "a\n\\u001b[2Jb\\u000d"


def test_a_trace_forges_no_line(out: io.StringIO) -> None:
    """An exception's message that looks like lines of the log is indented, as the rest of its trace."""
    out.seek(0)
    out.truncate()
    logs.configure(out)
    try:
        message = "\n2026-01-01T00:00:00.000Z ERROR stopped reason=forged\x1b[2J\u2028"
        raise ValueError(message)  # noqa: TRY301  # the trace of this is what is tested
    except ValueError:
        Log().error("failed", trace=True)
    first, *rest = out.getvalue().removesuffix("\n").split("\n")
    assert first.endswith(" ERROR failed")
    assert len(rest) > 1
    assert all(line.startswith("\t") for line in rest)
    assert _unseen("".join(line.removeprefix("\t") for line in rest)) == set()


def test_the_daemon_says_no_secret(jvm: Java) -> None:
    """What has the form of one is replaced, as in Python; a line of JSON stays one."""
    for message in (
        'header "x-amz-security-token:FwoGZXIvYXdzEHUaDKq" is invalid',
        "can't reach https://user:hush-hush@proxy:3128",
        "aws_secret_access_key = hush-hush",
    ):
        text, entry = jvm.lines("library", message)
        assert "***" in text
        for line in (text, parse_json(entry)["message"]):
            assert "hush" not in line
            assert "FwoG" not in line
