"""The events that an operator sees, and the table that explains them."""

from __future__ import annotations

import re

import pytest

from processor.startup import java

JAVA = sorted((java.ROOT / "daemon" / "src").rglob("*.java"))
PYTHON = sorted((java.ROOT / "processor").rglob("*.py"))
# Whoever logs names the event where it logs, as a literal.
_PYTHON_EVENT = re.compile(r"\.(info|notice|warning|error)\(\s*\"(\w+)\"")
_JAVA_EVENT = re.compile(r"Event\.(info|notice|warning|error)\(\s*\"(\w+)\"\)")
_PYTHON_OUTAGE = re.compile(r"Outage\(\s*[\w.()=]+,\s*\"(\w+)\"")
_JAVA_OUTAGE = re.compile(r"new Outage\(\s*\"(\w+)\"")
_JAVA_END = re.compile(r"exit\.fail\(\s*\"(\w+)\"")
_NAMED_ELSEWHERE = re.compile(r"Event\.\w+\(event\b")
_ROW = re.compile(r"\| ((?:`\w+`(?:, )?)+) \|")


def _events() -> set[tuple[str, str]]:
    """Level and name of each event, of both languages."""
    found: set[tuple[str, str]] = set()
    for files, event, outage in ((PYTHON, _PYTHON_EVENT, _PYTHON_OUTAGE), (JAVA, _JAVA_EVENT, _JAVA_OUTAGE)):
        text = "\n".join(path.read_text() for path in files)
        found |= set(event.findall(text))
        for name in outage.findall(text):
            found |= {("warning", name), ("notice", f"{name}_over")}
    found |= {("error", name) for path in JAVA for name in _JAVA_END.findall(path.read_text())}
    return found


def _explained() -> set[str]:
    page = (java.ROOT / "docs" / "operations.md").read_text()
    section = page.partition("\n## What to look at\n")[2].partition("\n## ")[0]
    rows = [match[1] for line in section.splitlines() if (match := _ROW.match(line))]
    return {name for row in rows for name in re.findall(r"\w+", row)}


def test_every_event_worth_a_look_is_explained() -> None:
    """The table of docs/operations.md has each event of NOTICE and above, and no other."""
    assert {name for level, name in _events() if level != "info"} == _explained()


@pytest.mark.parametrize("path", JAVA, ids=lambda path: path.name)
def test_no_event_of_the_daemon_goes_unnoticed(path: object) -> None:
    """What the daemon tells an operator is an Event: nothing else logs above DEBUG."""
    text = next(each for each in JAVA if each == path).read_text()
    assert not re.findall(r"LOG\.(?:info|warn|error)\(", text)
    assert len(_NAMED_ELSEWHERE.findall(text)) == {"Outage.java": 2, "Exit.java": 1}.get(
        next(each for each in JAVA if each == path).name, 0
    )


def test_an_event_has_one_level_in_all_places() -> None:
    """A name means one thing: only a lease lost at an idle moment is no more than information."""
    levels: dict[str, set[str]] = {}
    for level, name in _events():
        levels.setdefault(name, set()).add(level)
    assert {name for name, found in levels.items() if len(found) > 1} == {"lease_lost"}
