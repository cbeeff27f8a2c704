"""The Helm chart as Helm renders it: what is kept beside the tests, and anew where Helm is installed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from processor.startup import java

CHART = java.ROOT / "deploy" / "helm" / "dynamodb-replicator"
KEPT = java.ROOT / "tests" / "deploy" / "helm"
RELEASES = {"one": "orders", "many": "all", "all": "orders"}  # values file -> name of the release
COMMAND = shutil.which("helm")
KUBERNETES = "1.30.0"  # a Helm that was built by hand takes the oldest it knows
SUM = KEPT / "chart.sha256"


def digest() -> str:
    """Of all that a rendering is made of."""
    files = [path for folder in (CHART, KEPT) for path in sorted(folder.rglob("*")) if path.is_file()]
    made = hashlib.sha256()
    for path in files:
        if path.parent != KEPT or path.name.endswith(".values.yaml"):
            made.update(f"{path.relative_to(java.ROOT)}\n".encode() + path.read_bytes())
    return made.hexdigest()


def rendered(name: str, *more: str) -> subprocess.CompletedProcess[str]:
    """``helm template`` with one of the values files; ``more`` are words of its command line."""
    assert COMMAND is not None
    values = KEPT / f"{name}.values.yaml"
    command = [COMMAND, "template", RELEASES[name], CHART, "--kube-version", KUBERNETES, "--values", values, *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def keep() -> None:
    """Write every rendering anew, and what it was made of."""
    for name in RELEASES:
        done = rendered(name)
        assert done.returncode == 0, done.stderr
        _kept(name).write_text(done.stdout)
    SUM.write_text(f"{digest()}\n")


def kept(name: str) -> str:
    """What Helm made of one of the values files."""
    return _kept(name).read_text()


def _kept(name: str) -> Path:
    return KEPT / f"{name}.rendered.yaml"
