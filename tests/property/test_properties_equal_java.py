"""The properties file is read as Java reads it: users of the original bring their own."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import javaproperties
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.cli import arguments
from processor.errors import UsageError
from processor.settings import loader
from processor.startup import java

FAKE = Path(__file__).parent.parent / "fakes" / "java" / "JavaProperties.java"
# What the syntax gives a meaning, and a few characters that Python's own line splitting would.
PIECES = [
    *"=:#! \t\f\n\r\\abu09\0\"'[é\x85\xa0ÿ",
    "\r\n",
    "\\\n",
    "\\\r\n",
    "\\\\",
    "\\u0041",
    "\\u00e9",
    "\\ud83d\\ude00",
]
# A line that is nothing but a continuation: Java makes an empty name of it at the end, and a comment of what follows;
# javaproperties does not. Nobody has a use for it, so the two may differ there.
BARE_CONTINUATION = re.compile(r"(^|[\r\n])[ \t\f]*\\($|[\r\n])")
TEXTS = (
    st.lists(st.sampled_from([*PIECES, "\\ud800", "\\u12", "\\uD83", "key=", "\n key"]), max_size=25)
    .map("".join)
    .filter(lambda text: not BARE_CONTINUATION.search(text))
)


class Java:
    """One JVM for all examples."""

    def __init__(self) -> None:
        command = [java.executable(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", str(FAKE)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def parse(self, text: str) -> dict[str, str] | None:
        """The entries, or None for an error."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(base64.b64encode(text.encode("latin-1")).decode() + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer.endswith("\n"), "Java has ended"
        if answer == "error\n":
            return None
        return dict(tuple(self._decoded(half) for half in pair.split("=")) for pair in answer.split())

    @staticmethod
    def _decoded(half: str) -> str:
        return base64.urlsafe_b64decode(half.replace("~", "=")).decode("utf-16-be", "surrogatepass")


@pytest.fixture(scope="module")
def jvm() -> Iterator[Java]:
    """The one JVM."""
    made = Java()
    yield made
    with made.process:
        made.process.kill()


def _parse(text: str) -> dict[str, str] | None:
    try:
        return loader.properties_of(text)
    except UsageError:
        return None


@given(text=TEXTS)
def test_a_file_is_read_as_java_reads_it(jvm: Java, text: str) -> None:
    """Any text gives the entries that java.util.Properties gives, and is refused where Java refuses it."""
    assert jvm.parse(text) == _parse(text)


@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20))
@pytest.mark.parametrize("place", ["file", "environment", "command line"])
def test_a_value_reaches_its_setting_unchanged(place: str, value: str) -> None:
    """What is given for a setting is what it gets, wherever it is given, and whatever configargparse makes of it.

    What no file's name can hold is refused: see ``test_bad_input.py``.
    """
    required = {"sourceRegion": "eu-west-1", "sourceTable": "orders"}
    required |= {"destinationRegion": "us-east-1", "destinationTable": "copy"}
    found = arguments.load(
        arguments=[f"--logDirectory={value}"] if place == "command line" else [],
        properties=javaproperties.dumps(required | ({"logDirectory": value} if place == "file" else {})),
        environment={"REPLICATION_LOG_DIRECTORY": value} if place == "environment" else {},
        directory=Path("/somewhere"),
        log_directory=Path("/logs"),
        made=arguments.parser("run.sh", "usage"),
    )
    assert str(Path("/somewhere") / value) == found.log_directory
