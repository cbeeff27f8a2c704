"""What becomes of a command that can't write its output."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from processor.settings.parsers import endpoint
from processor.startup import java
from tests.fakes.patience import PATIENCE_SECONDS

# A command that prints this, with all that stands around one.
_PRINT = (
    "from processor.cli import main; from processor.reporting import output; "
    "main._dispatch = lambda *_: (output.prepare(as_json=%s), print(%r), 0)[-1]; main.console()"
)


def _run(code: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=java.ROOT, stderr=subprocess.PIPE, check=False, timeout=PATIENCE_SECONDS, **options
    )  # type: ignore[call-overload,no-any-return]


def test_a_closed_pipe_is_no_bug() -> None:
    """It ends as a shell's other programs do, with a line and without a trace."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = _run(_PRINT % (False, "line"), stdout=writing)
    os.close(writing)
    assert ended.returncode == 141
    assert b"nobody reads it any more" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_full_disk_is_no_bug() -> None:
    """It is said what there was no room for; another try may find some."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a device
        ended = _run(_PRINT % (False, "line"), stdout=full)
    assert ended.returncode == 5
    assert b"there is no room to write it" in ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("as_json", "expected"),
    [(False, b"caf\xe9 \\u0436\n"), (True, "café ж\n".encode())],
    ids=["text", "JSON"],
)
def test_a_locale_s_characters_break_nothing(as_json: bool, expected: bytes) -> None:  # noqa: FBT001  # a parameter of the test
    """What it can't encode is an escape, and JSON is UTF-8."""
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    ended = _run(_PRINT % (as_json, "café ж"), stdout=subprocess.PIPE, env=environment)
    assert (ended.returncode, ended.stdout) == (0, expected)


def test_an_underscore_in_a_host_is_refused_in_words() -> None:
    """Neither SDK takes it, so it is said where it stands."""
    with pytest.raises(ValueError, match="underscore"):
        endpoint("http://dynamodb_local:8000")
    assert endpoint("http://dynamodb-local:8000/a_path") == "http://dynamodb-local:8000/a_path"
