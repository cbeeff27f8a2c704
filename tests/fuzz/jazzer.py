"""The daemon's targets, which are in ``tests/java/``: fuzzed by Jazzer, each in a JVM of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import javaproperties

from processor.startup import java

SOURCES = java.ROOT / "tests" / "java"
# A folder of seeds for each target, and the targets' names.
SEEDS = java.ROOT / "tests" / "fuzz" / "seeds"
TARGETS: Mapping[str, str] = javaproperties.loads((SEEDS / "targets.properties").read_text())
# Jazzer follows the branches of these. Jackson's say what JSON is.
_FOLLOWED = "replicator.**:com.fasterxml.jackson.core.**"
# Nor looks into these, which are thousands of classes.
_LEFT_ALONE = "ch.**:com.amazonaws.**:io.**:org.**:software.amazon.**"
# Jazzer's own: the one slows each search by a pattern, the other takes a test's server for a finding.
_HOOKS = "com.code_intelligence.jazzer.sanitizers"
_OFF = f"{_HOOKS}.RegexRoadblocks:{_HOOKS}.ServerSideRequestForgery"
_MEMORY_MB = 2048  # the JVM's, with what Jazzer keeps beside the heap
# An input takes microseconds as a rule, but the first ones load classes.
_INPUT_SECONDS = 30
_MOST_BYTES = 32 * 1024


def _compiled(folder: str) -> str:
    """Compile the targets into ``folder``; the class path with them."""
    compiler = Path(java.executable()).with_name("javac")
    path = os.pathsep.join([java.class_path(), *map(str, (java.JARS / "junit").glob("*.jar"))])
    files = sorted(map(str, SOURCES.rglob("*.java")))
    subprocess.run([compiler, "-proc:none", "-nowarn", "-cp", path, "-d", folder, *files], check=True)
    return os.pathsep.join([folder, path, *map(str, (java.JARS / "jazzer").glob("*.jar"))])


def fuzz(
    name: str, *, seconds: int, seed: int, found: Path, once: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Fuzz one target; what it says is on stderr.

    :param found: where inputs that fail are written, beginning with the target's name
    :param once: run this input alone
    """
    with tempfile.TemporaryDirectory() as classes, tempfile.TemporaryDirectory() as corpus:
        command = [
            java.executable(),
            "-Xmx1g",
            "-XX:+UseSerialGC",
            "-Dlogback.statusListenerClass=NOP",
            "-cp",
            _compiled(classes),
            "com.code_intelligence.jazzer.Jazzer",
            f"--target_class={TARGETS[name]}",
            f"--instrumentation_includes={_FOLLOWED}",
            f"--custom_hook_excludes={_LEFT_ALONE}",
            f"--disabled_hooks={_OFF}",
            f"--reproducer_path={found}",
            f"-artifact_prefix={found}/{name}-",
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            f"-timeout={_INPUT_SECONDS}",
            f"-rss_limit_mb={_MEMORY_MB}",
            f"-max_len={_MOST_BYTES}",
            "-print_final_stats=1",
            *([once] if once else [corpus, SEEDS / name]),
        ]
        return subprocess.run(
            list(map(str, command)), cwd=java.ROOT, stderr=subprocess.PIPE, text=True, errors="replace", check=False
        )
