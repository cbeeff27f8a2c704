"""Options that a user gives the daemon's JVM, whichever way Java takes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.startup import java, java_options
from processor.startup.java_options import OUR_COLLECTOR, VARIABLES, chosen, findings
from tests.fakes.task.tasks import task

OURS = ["-Xmx1g", OUR_COLLECTOR]
SECRET = "hush-hush"


def _said(**settings: str) -> list[str]:
    return [f"{each.severity} {each.text}" for each in findings(task(**settings))]


@pytest.mark.parametrize("collector", ["-XX:+UseG1GC", "-XX:+UseParallelGC", "-XX:+UseZGC", "-XX:-UseSerialGC"])
def test_the_users_collector_takes_the_place_of_ours(collector: str, tmp_path: Path) -> None:
    """Wherever Java finds it: in the setting, in its variables, in a file that either names."""
    file = tmp_path / "options"
    file.write_text(f"-Dname=value\n{collector}\n")
    assert chosen(OURS, f"-Dname=value {collector}", {}) == ["-Xmx1g", "-Dname=value", collector]
    for variable in VARIABLES:
        assert chosen(OURS, "", {variable: f"-Dname=value {collector}"}) == ["-Xmx1g"]
    for option in (f"@{file}", f"-XX:VMOptionsFile={file}", f"-XX:Flags={file}"):
        assert chosen(OURS, option, {}) == ["-Xmx1g", option]
        assert chosen(OURS, "", {"JDK_JAVA_OPTIONS": option}) == ["-Xmx1g"]


@pytest.mark.parametrize("option", ["", "-XX:+UseStringDeduplication", "-XX:MaxGCPauseMillis=50", "@/nowhere"])
def test_else_ours_stays(option: str) -> None:
    """Other options, of collectors too, are no choice of one."""
    assert chosen(OURS, option, {"JAVA_TOOL_OPTIONS": option})[:2] == OURS


@pytest.mark.parametrize("variable", [None, "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"])
@pytest.mark.parametrize("collector", ["G1", "Parallel"])
def test_java_starts_with_another_collector(
    variable: str | None, collector: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real one, with all of the daemon's options."""
    option = f"-XX:+Use{collector}GC"
    if variable is not None:
        monkeypatch.setenv(variable, option)
    assert _said(**({} if variable else {"javaOptions": option})) == []


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("-XX:+UseG1GC -XX:+UseParallelGC", "selected"),
        ("-XX:+NoSuchThing", "NoSuchThing"),
        ("-Xmx1", "heap"),
        ("@/no/such/file", "/no/such/file"),
        ("Stray", "Stray"),
    ],
)
def test_what_java_refuses_is_said_before_the_start(option: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Java's own words, with the places that options come from, and without what they hold."""
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", f"-Dpassword={SECRET}")
    (said,) = _said(javaOptions=option)
    assert said.startswith("error")
    assert words in said
    assert "javaOptions, JAVA_TOOL_OPTIONS" in said
    assert SECRET not in said


def test_a_port_that_is_taken_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``check`` beside a daemon that has a port for its debugger or JMX is no "not ready"."""
    fake = tmp_path / "bin" / "java"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho "ERROR: transport error 202: bind failed: Address already in use"\nexit 2\n')
    fake.chmod(0o755)
    monkeypatch.setattr(java, "executable", lambda: str(fake))
    monkeypatch.setattr(java_options.class_archive, "find", lambda: None)
    (said,) = _said()
    assert said.startswith("warning")
    assert "Address already in use" in said
