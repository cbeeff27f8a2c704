""".github/: the workflows of a release are ones that GitHub takes, with no more rights than they need."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor import __version__
from processor.startup import java
from tests.fakes.machine import checkers, image

BIN = Path(sys.executable).parent
FOLDER = java.ROOT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
TEXTS = {path.name: path.read_text() for path in WORKFLOWS}
MEANT: dict[str, Any] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}


def _judged(*command: str | Path) -> tuple[int, str]:
    done = subprocess.run(command, cwd=java.ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_github_would_take_them() -> None:
    """By the schemas of workflows and of Dependabot's file."""
    schemas = {"vendor.github-workflows": WORKFLOWS, "vendor.dependabot": [FOLDER / "dependabot.yml"]}
    for schema, files in schemas.items():
        status, said = _judged(BIN / "check-jsonschema", "--builtin-schema", schema, *files)
        assert status == 0, said


@pytest.mark.skipif(checkers.ACTIONLINT is None, reason=checkers.ABSENT)
def test_their_expressions_and_scripts_mean_something() -> None:
    """Actionlint knows each context, action's input and runner, and has ShellCheck read what the steps run."""
    assert checkers.ACTIONLINT is not None
    status, said = _judged(checkers.ACTIONLINT, "-no-color", "-shellcheck", BIN / "shellcheck", *WORKFLOWS)
    assert (status, said) == (0, "")


def test_nothing_is_known_against_them() -> None:
    """Zizmor looks for what attackers of workflows use: open rights, kept credentials, text that becomes a command."""
    status, said = _judged(BIN / "zizmor", "--offline", "--no-progress", "--color", "never", FOLDER)
    assert (status, "No findings to report" in said) == (0, True), said


@pytest.mark.parametrize("name", TEXTS)
def test_actions_are_named_by_hash(name: str) -> None:
    """With the version beside it, and one hash for one action; a job has the rights that it names, and no other."""
    used = re.findall(r"uses: (\S+)@(\S+)(.*)", TEXTS[name])
    assert used
    for action, commit, version in used:
        assert re.fullmatch(r"[0-9a-f]{40}", commit), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", version), action
    everywhere = {each[:2] for text in TEXTS.values() for each in re.findall(r"uses: (\S+)@(\S+)(.*)", text)}
    assert len(everywhere) == len({action for action, _ in everywhere})
    assert MEANT[name]["permissions"] == {}
    assert [job for job, each in MEANT[name]["jobs"].items() if "permissions" not in each] == []


def test_only_a_release_may_write() -> None:
    """And what can't be taken back comes when all else is done, without a secret that somebody keeps."""
    writing = {
        (name, job): sorted(right for right, kind in each["permissions"].items() if kind == "write")
        for name, workflow in MEANT.items()
        for job, each in workflow["jobs"].items()
    }
    assert {each for each, rights in writing.items() if rights} == {
        ("release.yml", "image"),
        ("release.yml", "pypi"),
        ("release.yml", "release"),
    }
    assert writing["release.yml", "pypi"] == ["id-token"]
    jobs = MEANT["release.yml"]["jobs"]
    assert jobs["pypi"]["environment"] == "pypi"
    assert set(jobs["pypi"]["needs"]) == {"wheel", "image"}
    assert "secrets." not in "".join(TEXTS.values())


def test_the_image_is_made_as_the_documents_say() -> None:
    """Of the Dockerfile, of a base by digest, for both architectures, with labels and provenance."""
    steps = MEANT["release.yml"]["jobs"]["image"]["steps"]
    build = next(step["with"] for step in steps if "build-push" in step.get("uses", ""))
    dockerfile = (java.ROOT / "deploy" / "Dockerfile").read_text()
    base = re.search(r"^ARG BASE=(\S+)$", dockerfile, re.MULTILINE)
    assert base is not None
    assert f"base={base[1]}@$digest" in TEXTS["release.yml"]
    assert (build["file"], build["platforms"]) == ("deploy/Dockerfile", "linux/amd64,linux/arm64")
    assert (build["provenance"], build["sbom"], build["push"]) == ("mode=max", True, True)
    about = next(step["with"]["labels"] for step in steps if "metadata" in step.get("uses", ""))
    labels = dict(line.split("=", 1) for line in about.splitlines())
    own = dict(word.split("=", 1) for word in shlex.split(dict(image.instructions())["LABEL"]))
    assert own.items() <= labels.items()
    described = f'description = "{own["org.opencontainers.image.description"]}"'
    assert described in (java.ROOT / "pyproject.toml").read_text()


def _version(*words: str) -> tuple[int, str]:
    return _judged(sys.executable, "-I", java.ROOT / "deploy" / "version.py", *words)


def test_a_tag_is_held_to_every_place_that_has_a_version() -> None:
    """All have this one, so of another tag each is named; of this one only what is not written yet may be missing."""
    status, said = _version("v9.9.9")
    assert status == 22
    for place in ("processor/__init__.py", "Chart.yaml", "kubernetes-many.yaml", "ecs-task-definition.json", "main.tf"):
        assert f"{place} has {__version__}" in said
    status, said = _version(f"v{__version__}")
    assert status == 0 or "CHANGELOG.md has no section of it" in said.partition(": ")[2].split("; ")[0]
