"""``./test.sh fuzz [--minutes N] [--seed S] [TARGET ...]``: fuzzing that follows the code's branches.

Python's targets are fuzzed by atheris, the daemon's by Jazzer. Each has a process of its own and an equal part of the
time. An input that fails is written to ``logs/fuzz/`` and named; run it again with ``--input FILE TARGET``. Exit
status: 0 nothing was found, 1 something was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["processor"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz import jazzer

_ROOT = Path(__file__).parent.parent.parent
_FOUND = _ROOT / "logs" / "fuzz"
# An input takes microseconds as a rule.
_INPUT_SECONDS = 10
# Far above what any target takes: an input that makes memory grow is found by it.
_MEMORY_MB = 1024
_MOST_BYTES = 32 * 1024


def _fuzz(name: str, seconds: int, seed: int) -> int:
    """One target, in this process, which it ends."""
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as corpus:
        for number, content in enumerate(target.seeds):
            (Path(corpus) / str(number)).write_bytes(content)
            target.run(content)  # loads what the first inputs would wait for, as botocore's models of services
        arguments = [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            f"-timeout={_INPUT_SECONDS}",
            f"-rss_limit_mb={_MEMORY_MB}",
            f"-max_len={_MOST_BYTES}",
            f"-artifact_prefix={_FOUND}/{name}-",
            "-print_final_stats=1",
            corpus,
        ]
        atheris.Setup(arguments, target.run)
        atheris.Fuzz()
    return 0


def _fuzz_apart(name: str, seconds: int, seed: int) -> subprocess.CompletedProcess[str]:
    """One target, in a process of its own."""
    if name in jazzer.TARGETS:
        return jazzer.fuzz(name, seconds=seconds, seed=seed, found=_FOUND)
    each = [sys.executable, "-m", "tests.fuzz", "--alone", "--minutes", str(seconds / 60), "--seed", str(seed), name]
    return subprocess.run(each, cwd=_ROOT, stderr=subprocess.PIPE, text=True, errors="replace", check=False)


def _again(name: str, given: Path) -> int:
    if name in jazzer.TARGETS:
        done = jazzer.fuzz(name, seconds=0, seed=1, found=_FOUND, once=given)
        print(done.stderr)
        return done.returncode
    TARGETS[name].run(given.read_bytes())
    return 0


def main() -> int:
    """Fuzz, or run one input again."""
    every = [*TARGETS, *jazzer.TARGETS]
    parser = argparse.ArgumentParser(prog="./test.sh fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(every)}; all where none is named")
    parser.add_argument("--minutes", type=float, default=3.0, help="for all of them together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--input", type=Path, help="run this input once")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = given.targets or every
    if unknown := set(names) - set(every):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    seconds = max(1, round(given.minutes * 60 / len(names)))
    _FOUND.mkdir(parents=True, exist_ok=True)
    if given.input:
        return _again(names[0], given.input)
    if given.alone:
        return _fuzz(names[0], seconds, given.seed)
    failed = []
    for name in names:
        print(f"{name}: {seconds} s", flush=True)
        done = _fuzz_apart(name, seconds, given.seed)
        (_FOUND / f"{name}.log").write_text(done.stderr)
        runs = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        print(f"  {runs[-1].split()[-1] if runs else '?'} inputs, exit status {done.returncode}", flush=True)
        if done.returncode:
            failed.append(name)
            print("\n".join(done.stderr.splitlines()[-30:]))
    print(f"found something: {', '.join(failed)}, see {_FOUND}" if failed else "nothing found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
