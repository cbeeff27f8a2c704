"""Which versions are stated, in how many places, and that these agree with each other and with what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from processor import java
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


def test_the_daemon_is_compiled_against_the_jars_that_kclpy_brings() -> None:
    """Each version in daemon/pom.xml is the one of the jar that is there at run time."""
    there = {jar.artifact: jar.version for jar in inventory.locked()}
    expected = {
        "software.amazon.kinesis:amazon-kinesis-client": "kcl.version",
        "software.amazon.kinesis:amazon-kinesis-client-multilang": "kcl.version",
        "software.amazon.awssdk:dynamodb": "sdk.version",
        "software.amazon.awssdk:kinesis": "sdk.version",
        "software.amazon.awssdk:sts": "sdk.version",
        "com.amazonaws:dynamodb-streams-kinesis-adapter": "adapter.version",
        "commons-beanutils:commons-beanutils": "beanutils.version",
        "ch.qos.logback:logback-classic": "logback.version",
        "com.fasterxml.jackson.core:jackson-core": "jackson.version",
        "org.slf4j:slf4j-api": "slf4j.version",
        "org.slf4j:jul-to-slf4j": "slf4j.version",
    }
    assert {name: _in_pom(version) for name, version in expected.items()} == {name: there[name] for name in expected}


def test_the_pair_is_a_proven_one() -> None:
    """kclpy, KCL, SDK and adapter, as they are pinned, have a row in docs/deploy.md's table of what was proven."""
    row = [_kclpy(), *(_in_pom(name) for name in ("kcl.version", "sdk.version", "adapter.version"))]
    assert f"| {' | '.join(row)} | every test |" in DOCS


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
