"""Which versions are stated, in how many places, and that these agree with each other and with what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from processor.startup import java
from tests.audit import inventory
from tests.deploy import runtimes

POM = (java.ROOT / "daemon" / "pom.xml").read_text()
DOCS = (java.ROOT / "docs" / "deploy.md").read_text()
# Every file, without writing what it was compiled to.
_COMPILE = "import sys; [compile(open(name, 'rb').read(), name, 'exec') for name in sys.argv[1:]]"


def _in_pom(name: str) -> str:
    found = re.findall(rf"<{name}>(.+)</{name}>", POM)
    assert len(found) == 1, f"{name} stands there {len(found)} times"
    return str(found[0])


def _kclpy() -> str:
    found = re.findall(r"^amazon-kclpy==(\S+)", (java.ROOT / "requirements.in").read_text(), re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def test_the_pair_is_a_proven_one() -> None:
    """kclpy, the KCL and SDK that it brings, and the adapter have a row in docs/deploy.md's table of proven ones."""
    there = {jar.artifact: jar.version for jar in inventory.locked()}
    kcl, sdk = there["software.amazon.kinesis:amazon-kinesis-client"], there["software.amazon.awssdk:dynamodb"]
    assert f"| {_kclpy()} | {kcl} | {sdk} | {_in_pom('adapter.version')} | every test |" in DOCS


def test_a_pair_is_moved_by_one_line_each() -> None:
    """amazon-kclpy's version stands in requirements.in only, the adapter's in daemon/pom.xml only."""
    places = ("pyproject.toml", "daemon/pom.xml", "setup.sh", "deploy/Dockerfile")
    texts = {place: (java.ROOT / place).read_text() for place in places}
    assert [place for place, text in texts.items() if _kclpy() in text] == []
    assert [place for place, text in texts.items() if _in_pom("adapter.version") in text] == ["daemon/pom.xml"]


def test_no_jar_is_there_in_two_versions() -> None:
    """What our own folder has beside amazon-kclpy's is of the same release, or it would be chance which is taken."""
    artifacts = [jar.artifact for jar in inventory.locked()]
    assert sorted(set(artifacts)) == sorted(artifacts)
    sdk = {jar.version for jar in inventory.locked() if jar.artifact.startswith("software.amazon.awssdk:")}
    slf4j = {jar.version for jar in inventory.locked() if jar.artifact.startswith("org.slf4j:")}
    assert (len(sdk), len(slf4j)) == (1, 1)


def test_the_oldest_python_is_one_and_the_same() -> None:
    """For pip, for set-up, for the lock files, for the linter and for the documents."""
    oldest = runtimes.PYTHONS[0]
    assert f'requires-python = ">={oldest}"' in (java.ROOT / "pyproject.toml").read_text()
    assert f"sys.version_info < ({oldest.replace('.', ', ')})" in (java.ROOT / "setup.sh").read_text()
    assert f"--python-version {oldest} " in (java.ROOT / "test.sh").read_text()
    assert f"Python {oldest} or later" in (java.ROOT / "README.md").read_text()


def test_the_oldest_java_is_one_and_the_same() -> None:
    """The daemon class is compiled for the Java that the start insists on, and that the documents name."""
    assert _in_pom("maven.compiler.release") == str(java.OLDEST_VERSION)
    assert f"JDK ({java.OLDEST_VERSION} or later)" in (java.ROOT / "README.md").read_text()


@pytest.mark.parametrize("version", runtimes.PYTHONS)
def test_each_python_takes_the_program(version: str) -> None:
    """Not one file uses what a supported Python has not; ``./test.sh versions`` goes further."""
    python = runtimes.pythons().get(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    files = sorted(Path(java.ROOT / "processor").rglob("*.py"))
    done = subprocess.run([python, "-I", "-c", _COMPILE, *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_python_that_was_proven_is_in_the_table() -> None:
    """docs/deploy.md says which versions ``./test.sh versions`` has found to work, this one too."""
    assert [version for version in runtimes.PYTHONS if f"| Python {version} |" not in DOCS] == []
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in runtimes.PYTHONS
