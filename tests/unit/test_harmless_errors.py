"""Which of KCL's ERROR lines are lowered (``HarmlessErrors.java``): those that are known, each by its exact origin."""

from __future__ import annotations

import subprocess
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from processor.startup import java

FAKE = Path(__file__).parent.parent / "fakes" / "java" / "JavaErrors.java"
HASH_RANGES = "software.amazon.kinesis.coordinator.PeriodicShardSyncManager"


@pytest.fixture(scope="module")
def rules() -> list[list[str]]:
    """Each rule's logger and format, then the levels of what it lowers, and of what is nearly that."""
    command = [java.executable(), "-XX:TieredStopAtLevel=1", "-cp", java.class_path(), str(FAKE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_only_what_is_harmless_is_lowered(rules: list[list[str]]) -> None:
    """Another cause, other words or another class stay errors; hash ranges mean nothing here, whatever the cause."""
    assert rules
    for logger, message, lowered, others in rules:
        levels = lowered.split(",")
        assert {"INFO", "DEBUG+trace"} & set(levels), message
        kept = ["ERROR+trace", "ERROR+trace", "ERROR+trace"]
        assert others.split(",") == (["DEBUG+trace", *kept[1:]] if logger == HASH_RANGES else kept), message


def test_a_minute_without_a_page_is_said_without_a_cause(rules: list[list[str]]) -> None:
    """KCL has none to tell; a line of these words that has one is another."""
    (lowered,) = [lowered for logger, _, lowered, _ in rules if logger.endswith(".ShardConsumerSubscriber")]
    assert lowered.split(",")[-1] == "INFO"
    assert set(lowered.split(",")[:-1]) == {"ERROR+trace"}


def test_each_origin_is_kcls_own(rules: list[list[str]]) -> None:
    """A newer KCL with other words has to be looked at: its class still says what a rule lowers."""
    kclpy = find_spec("amazon_kclpy")
    assert kclpy is not None
    assert kclpy.origin is not None
    (jar,) = (Path(kclpy.origin).parent / "jars").glob("amazon-kinesis-client-[0-9]*.jar")
    with zipfile.ZipFile(jar) as classes:
        for logger, message, *_ in rules:
            name = logger.replace(".", "/")
            own = [each for each in classes.namelist() if each.startswith((f"{name}.", f"{name}$"))]
            assert any(message.encode() in classes.read(each) for each in own), (logger, message)
