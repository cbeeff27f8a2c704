"""The proof of ``./test.sh aws``, whole, on servers of this machine; and what becomes of one that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from processor.startup import java
from tests.aws import names
from tests.aws.outcome import PASSED, SKIPPED
from tests.aws.steps import STEPS
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.scenarios.conftest import Servers, servers

__all__ = ["servers"]

REGIONS = ("--source-region", "eu-central-1", "--destination-region", "us-west-2")


def _at(servers: Servers) -> tuple[str, ...]:
    return ("--source-endpoint", servers.source, "--destination-endpoint", servers.destination)


def _start(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.aws", *REGIONS, *options, "--report", folder],
        cwd=java.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _end(started: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = started.communicate(timeout=PATIENCE_SECONDS)
    return started.returncode, output


def _report(folder: Path) -> dict[str, Any]:
    (file,) = folder.glob("proof-*.json")
    (page,) = folder.glob("proof-*.md")
    assert page.read_text().startswith("# Proof ")
    assert str(Path.home()) not in file.read_text() + page.read_text()
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def _tables(servers: Servers) -> set[str]:
    """What is there of any run of a proof, on both servers."""
    found = set()
    for endpoint in (servers.source, servers.destination):
        client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=endpoint)
        pages = client.get_paginator("list_tables").paginate()
        found |= {name for page in pages for name in page["TableNames"] if names.run_of(name)}
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where reports go; no proof asks AWS who calls."""
    for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
        monkeypatch.delenv(name)
    return tmp_path


def _words(report: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["word"] for step in report["steps"]}


def test_all_of_it_on_dynamodb_local(servers: Servers, folder: Path) -> None:
    """Every step but those that need IAM or hours; nothing is left, and the report doesn't claim what wasn't seen."""
    status, output = _end(_start(folder, *_at(servers), "--yes"))
    assert status == 0, output
    report = _report(folder)
    skipped = {"roles", "least policies", "shards"}
    assert _words(report) == {step.name: SKIPPED if step.name in skipped else PASSED for step in STEPS}
    assert (report["passed"], report["left"]) == (True, [])
    assert not any(each["seen"] for each in report["onlyAws"])
    assert _tables(servers) == set()


def test_with_moto_and_roles(folder: Path) -> None:
    """A copy by roles that have the printed policies. Tables and roles are found by their tags, and removed.

    ``./test.sh aws --local moto`` does all the rest, too, in a minute.
    """
    status, output = _end(_start(folder, "--local", "moto", "--yes", "--until", "copy"))
    assert status == 0, output
    report = _report(folder)
    words = _words(report)
    assert [words[name] for name in ("tables", "policy", "roles", "copy")] == [PASSED] * 4
    assert report["left"] == []
    assert "123456789012" not in json.dumps(report)  # moto's account


def test_killed_and_cleaned(servers: Servers, folder: Path) -> None:
    """SIGTERM ends it with nothing left; kill -9 leaves tables, which --clean lists and removes, and no others."""
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=servers.source)
    own = "replicator-proof-orders"  # somebody's own
    key: Any = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    }
    client.create_table(TableName=own, BillingMode="PAY_PER_REQUEST", **key)
    started = _start(folder, *_at(servers), "--yes")
    assert started.stdout is not None
    assert any(line.startswith("passed") for line in iter(started.stdout.readline, ""))
    started.send_signal(signal.SIGTERM)
    status, output = _end(started)
    assert status == 128 + signal.SIGTERM, output
    assert _report(folder)["ended"] == "by SIGTERM"
    assert _tables(servers) == set()

    started = _start(folder, *_at(servers), "--yes")
    until(lambda: _tables(servers), "a table of the second run")
    started.kill()
    _end(started)
    left = _tables(servers)
    status, output = _end(_start(folder, *_at(servers), "--clean"))
    assert status == 22, output  # nobody said yes
    assert all(name in output for name in left)
    assert _tables(servers) == left
    status, output = _end(_start(folder, *_at(servers), "--clean", "--yes"))
    assert status == 0, output
    assert _tables(servers) == set()
    assert own in client.list_tables()["TableNames"]
    client.delete_table(TableName=own)
