"""The report of a run, in JSON and Markdown, fit to be shown to anybody."""

from __future__ import annotations

import datetime as dt
import platform
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import boto3
import botocore
import msgspec

from processor import __version__
from processor.startup import java
from tests.aws import plan
from tests.aws.mask import masked
from tests.aws.outcome import FAILED, PASSED, Outcome
from tests.aws.scene import Scene
from tests.aws.steps import NEVER_SEEN, ONLY_AWS


class OnlyAws(msgspec.Struct, kw_only=True):
    """Something that no server of this machine does; ``how`` is empty if this run has not seen it."""

    what: str
    seen: bool
    how: str


class Report(msgspec.Struct, kw_only=True, rename="camel"):
    """All of a run.

    :param began: UTC, to the second
    :param left: what could not be removed, each with the reason
    """

    run: str
    began: str
    where: str
    source_region: str
    destination_region: str
    estimated_dollars: float
    passed: bool
    ended: str
    versions: dict[str, str]
    steps: list[Outcome]
    only_aws: list[OnlyAws]
    left: list[str]


def make(
    scene: Scene, steps: list[Outcome], *, began: dt.datetime, left: list[str], ended: str, interrupted: bool
) -> Report:
    """What is known at the run's end.

    :param ended: how, if not by its last step
    """
    held = not interrupted and not left and not any(step.word == FAILED for step in steps)
    made = Report(
        run=scene.run,
        began=began.isoformat(timespec="seconds"),
        where=scene.place.where,
        source_region=scene.place.source.region,
        destination_region=scene.place.destination.region,
        estimated_dollars=round(plan.dollars(), 2),
        passed=held and any(step.word == PASSED for step in steps),
        ended=ended,
        versions=versions(),
        steps=steps,
        only_aws=[
            OnlyAws(what=what, seen=name in scene.seen, how=scene.seen.get(name, NEVER_SEEN.get(name, "")))
            for name, what in ONLY_AWS.items()
        ],
        left=left,
    )
    return msgspec.json.decode(masked(msgspec.json.encode(made).decode()), type=Report)


def versions() -> dict[str, str]:
    """What took part."""
    found = subprocess.run([java.executable(), "-version"], capture_output=True, text=True, check=False)
    commit = subprocess.run(
        ["git", "-C", java.ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "replicator": f"{__version__} {commit.stdout.strip()}".strip(),
        "python": platform.python_version(),
        "java": (found.stderr.splitlines() or ["unknown"])[0],
        "boto3": boto3.__version__,
        "botocore": botocore.__version__,
        "amazon-kclpy": version("amazon-kclpy"),
        "system": f"{platform.system()} {platform.machine()}",
    }


def write(report: Report, folder: Path) -> tuple[Path, Path]:
    """Both forms of it.

    :returns: the JSON file, the Markdown file
    """
    files = folder / f"proof-{report.run}.json", folder / f"proof-{report.run}.md"
    files[0].write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    files[1].write_text("\n".join(_page(report)) + "\n", encoding="utf-8")
    return files


def _page(report: Report) -> Iterator[str]:
    word = "passed" if report.passed else "FAILED"
    yield f"# Proof {word}: {report.source_region} and {report.destination_region}"
    yield ""
    dollars = f"{report.estimated_dollars:.2f} $"
    yield f"Run {report.run} on {report.where}, begun {report.began}. On AWS it costs {dollars} at most, by its plan."
    if report.ended:
        yield f"It ended early: {report.ended}."
    yield ""
    yield "| step | what it proves | outcome | seconds | found |"
    yield "|---|---|---|---|---|"
    for step in report.steps:
        yield f"| {step.name} | {step.proves} | {step.word} | {step.seconds:.1f} | {_cell(step.said)} |"
    yield ""
    yield "## What only AWS does"
    yield ""
    yield "| what | seen in this run | how |"
    yield "|---|---|---|"
    for each in report.only_aws:
        yield f"| {each.what} | {'yes' if each.seen else 'no'} | {_cell(each.how)} |"
    yield ""
    yield "## Left behind"
    yield ""
    if report.left:
        yield from (f"- {_cell(text)}" for text in report.left)
        yield ""
        yield "`./test.sh aws --clean`, with the same regions, removes it."
    else:
        yield "Nothing."
    yield ""
    yield "## Versions"
    yield ""
    yield from (f"- {name}: {text}" for name, text in report.versions.items())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
