"""``./test.sh audit``: what is known to be wrong with what the replicator runs on, and was not looked at yet.

Ends with 1 where there is anything. A database that can't be reached is no failure, but is said: the audit is then only
as good as advisories.toml and the day on which that was last looked at.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from processor.startup import java
from tests.audit import advisories, inventory
from tests.audit.advisories import Finding, Unreachable

_AUDIT = ["pip-audit", "--requirement", "requirements.lock", "--disable-pip", "--require-hashes", "--format", "json"]
_SECONDS = 120


def _packages() -> list[Finding]:
    command = [Path(sys.executable).parent / _AUDIT[0], *_AUDIT[1:], "--progress-spinner", "off", "--timeout", "15"]
    try:
        done = subprocess.run(command, cwd=java.ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired as exc:
        raise Unreachable("PyPI's advisories: pip-audit did not end") from exc
    return advisories.of_packages(done.stdout)


def _jars() -> list[Finding]:
    return advisories.of_jars(inventory.found())


def main() -> int:
    """Ask each database, and say what is new."""
    known = advisories.read()
    new: list[Finding] = []
    sources: dict[str, Callable[[], list[Finding]]] = {"packages": _packages, "jars": _jars}
    for what, ask in sources.items():
        try:
            findings = ask()
        except Unreachable as exc:
            print(f"audit: NOT DONE for {what}, nobody could be asked. {exc}.", file=sys.stderr)
            continue
        fresh = advisories.unaccepted(findings, known)
        print(f"audit: {what}: {len(findings)} known, {len(findings) - len(fresh)} of them accepted")
        new += fresh
    for finding in new:
        print(f"audit: {finding.line}: not accepted. Upgrade, or say in {advisories.FILE} why not.", file=sys.stderr)
    return 1 if new else 0


sys.exit(main())
