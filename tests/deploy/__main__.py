"""``./test.sh image``, ``versions`` and ``charts``: what takes minutes, or needs what a machine may not have."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from processor.startup import java
from tests.deploy import proof, runtimes
from tests.fakes.machine import chart, contained, image, installed
from tests.scenarios.conftest import Servers

_OPT = Path("/opt")


def _image(folder: Path, at: Servers) -> bool:
    """The Dockerfile's own steps, then a replication by what they made, as an engine would run it."""
    missing = [
        name
        for name in sorted(image.packages())
        if subprocess.run(["apt-cache", "show", name], capture_output=True, check=False).returncode
    ]
    print(f"Debian packages that this machine doesn't know: {', '.join(missing) or 'none'}")
    opt = image.build(folder / "image")
    size = subprocess.run(["du", "-sm", opt], capture_output=True, text=True, check=True).stdout.split()[0]
    print(f"{opt}: {size} MB")
    command = _OPT / "dynamodb-replicator" / "bin" / "dynamodb-replicator"
    run = contained.script(folder / "run", command, mounts={opt: _OPT})
    return not missing and _passes("the image", lambda: proof.replicates(run, folder / "task", at, {"HOME": "/"}))


def _versions(folder: Path, at: Servers) -> bool:
    """Unit tests and a replication on each Python; a replication on each Java."""
    kept = java.ROOT / "jars" / "versions"  # environments and runtimes, for the next time
    kept.mkdir(parents=True, exist_ok=True)
    wheel = installed.built()
    results = []
    for name, python in runtimes.pythons().items():
        environment = kept / f"python-{name}"
        _environment(python, environment)
        pytest = [environment / "bin" / "python3", "-m", "pytest", "-q", "tests/unit"]
        results.append(_passes(f"Python {name}: unit tests", lambda command=pytest: _must(command)))
        command = _install(wheel, environment, folder / f"python-{name}")
        run = proof.front_door(folder / f"run-{name}", command)
        results.append(
            _passes(f"Python {name}: replication", lambda r=run, n=name: proof.replicates(r, folder / f"t-{n}", at, {}))
        )
    command = installed.install(wheel, folder / "environment")
    fetched = [runtimes.java_wheel(release, kept) for release in runtimes.JAVA_WHEELS]
    homes = runtimes.javas() | {runtimes.version(home): home for home in fetched}
    for number, (name, home) in enumerate(sorted(homes.items())):
        run = proof.front_door(folder / f"run-java-{number}", command)
        environment = {"JAVA_HOME": str(home)}
        results.append(
            _passes(
                f"Java {name}: replication",
                lambda r=run, n=number, e=environment: proof.replicates(r, folder / f"t-java-{n}", at, e),
            )
        )
    return all(results)


def _charts() -> None:
    """What Helm makes of the chart, kept for machines without it; tests/deploy/test_helm.py judges it."""
    assert chart.COMMAND is not None, "helm is not on the PATH, so nothing was rendered. Install it (https://helm.sh)."
    chart.keep()


def _environment(python: Path, folder: Path) -> None:
    """The checkout's packages, those of the tests too, for another Python."""
    locks = [java.ROOT / name for name in ("requirements.lock", "requirements-dev.lock")]
    stamp = folder / "locks"
    text = "".join(lock.read_text() for lock in locks)
    if stamp.exists() and stamp.read_text() == text:
        return
    _must([python, "-m", "venv", "--clear", folder])
    for lock in locks:
        _must([folder / "bin" / "python3", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock])
    (_packages(folder) / "replicator.pth").write_text(f"{java.ROOT}\n")
    stamp.write_text(text)


def _packages(environment: Path) -> Path:
    (found,) = environment.glob("lib/python*/site-packages")
    return found


def _install(wheel: Path, packages: Path, folder: Path) -> Path:
    """The wheel alone, with another environment's packages."""
    _must([packages / "bin" / "python3", "-m", "venv", "--without-pip", folder])
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python3", "install", "--quiet"]
    _must([*pip, "--no-deps", "--no-index", wheel])
    (_packages(folder) / "dependencies.pth").write_text(f"{_packages(packages)}\n")
    return folder / "bin" / "dynamodb-replicator"


def _must(command: list[object]) -> None:
    done = subprocess.run([str(part) for part in command], cwd=java.ROOT, capture_output=True, text=True, check=False)
    assert not done.returncode, (done.stdout + done.stderr)[-3000:]


def _passes(what: str, run: Callable[[], None]) -> bool:
    start = time.monotonic()
    try:
        run()
    except AssertionError as exc:
        print(f"{what}: FAILED\n{exc}", flush=True)
        return False
    print(f"{what}: passed, {time.monotonic() - start:.0f} s", flush=True)
    return True


def main() -> int:
    """Run one of them; 1 where anything failed."""
    parser = argparse.ArgumentParser(prog="./test.sh", description=__doc__)
    parser.add_argument("what", choices=["image", "versions", "charts"])
    name = parser.parse_args().what
    if name == "charts":
        return 0 if _passes("the chart, rendered anew", _charts) else 1
    what = {"image": _image, "versions": _versions}[name]
    with tempfile.TemporaryDirectory() as made, proof.servers(Path(made)) as at:
        return 0 if what(Path(made), at) else 1


sys.exit(main())
