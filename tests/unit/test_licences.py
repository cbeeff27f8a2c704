"""DynamoDB Local is Amazon's own: who would fetch it is told so, and nothing that is given away has it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from processor.startup import java

ROOT = java.ROOT
_SETUP = """#!/bin/sh
echo "$*" >>asked
[ "$1" != dynamodb-local ] || { echo "setup: DynamoDB Local failed" >&2; exit 22; }
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """test.sh, with a set-up that can't have DynamoDB Local, and a Python that says what it would run, and where."""
    shutil.copy(ROOT / "test.sh", tmp_path)
    for name, text in (
        ("setup.sh", _SETUP),
        (".venv/bin/python", '#!/bin/sh\necho "on ${TEST_SERVER:-anything}: $*"\n'),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("wanted", ["", "moto", "dynamodb-local"])
def test_tests_do_without_what_can_not_be_had(checkout: Path, wanted: str) -> None:
    """They run on moto's server and say so; who wants moto fetches nothing; who insists on the other is refused."""
    environment = {name: value for name, value in os.environ.items() if name != "TEST_SERVER"}
    done = subprocess.run(
        ["./test.sh", "tests", "tests/unit"],
        cwd=checkout,
        env=environment | ({"TEST_SERVER": wanted} if wanted else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    asked = (checkout / "asked").read_text().splitlines()
    assert ("dynamodb-local" in asked) == (wanted != "moto")
    assert ("the tests run on moto's server" in done.stderr) == (wanted == "")
    ran = "on moto: -m pytest tests/unit\n"
    assert (done.returncode, done.stdout) == ((22, "") if wanted == "dynamodb-local" else (0, ran)), done.stderr


@pytest.mark.parametrize("page", ["docs/trial.md", "deploy/compose.yaml"])
def test_its_licence_has_its_name(page: str) -> None:
    """Where users meet it first, beside the set-up."""
    assert "Amazon DynamoDB Local License" in " ".join((ROOT / page).read_text().split())


@pytest.mark.parametrize("page", ["README.md", "setup.sh"])
def test_who_fetches_it_is_told(page: str) -> None:
    """That it is not ours, and has a licence of its own."""
    text = (ROOT / page).read_text()
    assert "DynamoDB Local" in text
    assert "licence" in text


def test_no_image_has_it() -> None:
    """Its folder is not let through to the engine, and no step of the image asks set-up for it."""
    assert "daemon/dynamodb-local" in (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    assert "dynamodb-local" not in dockerfile.lower()
    assert "setup.sh tests" not in dockerfile
    assert not [line for line in dockerfile.splitlines() if line.startswith("COPY") and "jars" in line]
