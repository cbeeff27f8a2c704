"""Holds a release to its tag: ``python deploy/version.py v1.2.3`` ends with 22 where any place has another version.

With ``--changes`` it prints what CHANGELOG.md says of that version. It needs no more than Python.
"""  # noqa: INP001  # a program

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Each file that names a version of ours, and how.
_PLACES = {
    "processor/__init__.py": r'__version__ = "([^"]+)"',
    "deploy/helm/dynamodb-replicator/Chart.yaml": r"(?:^|\n)(?:version|appVersion): (\S+)",
    "deploy/kubernetes.yaml": r"image: \S+:(\S+)",
    "deploy/kubernetes-many.yaml": r"image: \S+:(\S+)",
    "deploy/ecs-task-definition.json": r'"image": "[^"]+:([^":]+)"',
    "deploy/terraform/example/main.tf": r'image +=\s"[^"]+:([^":]+)"',
}


def differences(version: str) -> Iterator[str]:
    """Name each place that has another version, or none."""
    for place, pattern in _PLACES.items():
        found = re.findall(pattern, (ROOT / place).read_text())
        if not found or set(found) != {version}:
            yield f"{place} has {', '.join(found) or 'none'}"


def changes(version: str) -> str:
    """What CHANGELOG.md says of a version; empty if nothing."""
    text = (ROOT / "CHANGELOG.md").read_text()
    found = re.search(rf"^## \[?{re.escape(version)}\]?(?: .*)?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def main(words: list[str]) -> int:
    """Say what does not agree.

    :returns: 0 if all does
    """
    version = words[0].removeprefix("v")
    wrong = list(differences(version))
    said = changes(version)
    if not said:
        wrong.append("CHANGELOG.md has no section of it")
    if wrong:
        print(f"This is not version {version}: {'; '.join(wrong)}. Nothing is released.", file=sys.stderr)
        return 22
    if "--changes" in words:
        print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
