"""The daemon's classes: JUnit's tests in ``tests/java/``, each in the package of what it tests.

One of them is a short run of what ``./test.sh fuzz`` does for as long as it is told.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from processor.startup import java
from tests.fuzz.jazzer import SEEDS, SOURCES

SCHEMA = java.ROOT / "tests" / "task_table.schema.json"


def test_the_daemons_classes(tmp_path: Path) -> None:
    """They are compiled against the daemon's jars, and all of them pass."""
    (junit,) = (java.JARS / "junit").glob("junit-platform-console-standalone-*.jar")
    jars = java.class_path()
    compiler = Path(java.executable()).with_name("javac")
    files = sorted(map(str, SOURCES.rglob("*.java")))
    command = [compiler, "-proc:none", "-cp", f"{jars}{os.pathsep}{junit}", "-d", tmp_path, *files]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert compiled.returncode == 0, compiled.stderr
    program = [java.executable(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dlogback.statusListenerClass=NOP"]
    class_path = f"{tmp_path}{os.pathsep}{jars}"
    given = [f"-Dseeds={SEEDS}", f"-DtaskTableSchema={SCHEMA}", f"-DtestClassPath={class_path}"]
    launch = [*program, *given, "-jar", junit, "execute"]
    options = ["--disable-banner", "--disable-ansi-colors", "--fail-if-no-tests", "--details=tree"]
    scan = ["--scan-class-path", tmp_path, "--class-path", class_path]
    done = subprocess.run([*launch, *options, *scan], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
