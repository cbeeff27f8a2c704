"""The list of parts that comes with the wheel: valid CycloneDX, and exactly what the two locks pin."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from processor import __version__
from processor.startup import jar_lock, java
from tests.fakes.machine import installed

PROGRAM = java.ROOT / "deploy" / "sbom.py"
OURS = "dynamodb-replicator"


@pytest.fixture(scope="module")
def wheel() -> Path:
    """As users build it; what the program needs is installed with it."""
    return installed.built()


@pytest.fixture(scope="module")
def text(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the program writes."""
    del wheel
    path = tmp_path_factory.mktemp("sbom") / "parts.json"
    subprocess.run([sys.executable, "-I", PROGRAM, path], check=True)
    return path.read_text()


@pytest.fixture(scope="module")
def components(text: str) -> list[dict[str, Any]]:
    """The parts."""
    found: list[dict[str, Any]] = json.loads(text)["components"]
    return found


def _pinned_jars() -> dict[str, str]:
    """Package URL -> SHA-256, of each line of the lock."""
    lines = (java.ROOT / "daemon" / "jars.lock").read_text().splitlines()
    pinned = [line.split(" ") for line in lines if not line.startswith("#")]
    return {f"pkg:maven/{'/'.join(name.split(':')[:2])}@{name.split(':')[2]}": sha256 for name, sha256 in pinned}


def _pinned_packages() -> dict[str, set[str]]:
    """Package URL -> the SHA-256 of each of its files, as pip reads the lock."""
    lines = (java.ROOT / "requirements.lock").read_text().replace("\\\n", " ").splitlines()
    pinned = {}
    for line in lines:
        requirement, *hashes = line.split(" --hash=sha256:")
        wanted = Requirement(requirement.strip())
        (version,) = wanted.specifier
        assert version.operator == "=="
        pinned[f"pkg:pypi/{wanted.name.lower()}@{version.version}"] = {each.strip() for each in hashes}
    return pinned


def test_it_is_what_it_says_it_is(text: str) -> None:
    """CycloneDX 1.6, by CycloneDX's own schema."""
    said = json.loads(text)
    assert (said["bomFormat"], said["specVersion"]) == ("CycloneDX", "1.6")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert (said["metadata"]["component"]["name"], said["metadata"]["component"]["version"]) == (OURS, __version__)


def test_every_jar_of_the_lock_stands_in_it_with_its_hash(components: list[dict[str, Any]]) -> None:
    """Group, name and version by package URL, and its bytes; no other jar from elsewhere does."""
    jars = {part["purl"]: part for part in components if part.get("purl", "").startswith("pkg:maven/")}
    pinned = _pinned_jars()
    assert len(pinned) > 50
    assert {purl: part["hashes"] for purl, part in jars.items()} == {
        purl: [{"alg": "SHA-256", "content": sha256}] for purl, sha256 in pinned.items()
    }
    for purl, part in jars.items():
        assert purl == f"pkg:maven/{part['group']}/{part['name']}@{part['version']}"


def test_our_own_jar_stands_in_it_as_it_was_built(components: list[dict[str, Any]], wheel: Path) -> None:
    """The hash is of the very file that the wheel brings."""
    (ours,) = [part for part in components if "purl" not in part]
    inside = zipfile.ZipFile(wheel).read(f"processor/jars/{jar_lock.OURS}")
    assert (f"{ours['name']}.jar", ours["version"]) == (jar_lock.OURS, __version__)
    assert ours["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(inside).hexdigest()}]


def test_every_package_of_the_lock_stands_in_it_with_its_hashes(components: list[dict[str, Any]]) -> None:
    """Name and version, and each file that pip would take."""
    packages = {part["purl"]: part for part in components if part.get("purl", "").startswith("pkg:pypi/")}
    pinned = _pinned_packages()
    assert len(pinned) > 10
    named = f"{OURS}:requirements.lock:sha256"
    assert {
        purl: {each["value"] for each in part["properties"] if each["name"] == named} for purl, part in packages.items()
    } == pinned
    for purl, part in packages.items():
        assert (purl, part.get("hashes")) == (f"pkg:pypi/{part['name']}@{part['version']}", None)


def test_nothing_else_stands_in_it(text: str, components: list[dict[str, Any]]) -> None:
    """Each part once, with its licence; the program depends on all of them."""
    assert len(components) == len(_pinned_jars()) + len(_pinned_packages()) + 1
    references = [part["bom-ref"] for part in components]
    assert len(references) == len(set(references))
    (ours,) = [each for each in json.loads(text)["dependencies"] if each["ref"] == OURS]
    assert sorted(ours["dependsOn"]) == sorted(references)
    here = {name.lower() for name in _installed()}
    unlicensed = [part["bom-ref"] for part in components if not part.get("licenses")]
    assert [ref for ref in unlicensed if not ref.startswith("pkg:pypi/") or ref[9:].partition("@")[0] in here] == []


def _installed() -> list[str]:
    folders = [path for place in sys.path for path in Path(place).glob("*.dist-info")]
    return [re.split(r"-[^-]*\.dist-info$", path.name)[0].replace("_", "-") for path in folders]


def test_the_wheel_brings_it(text: str, wheel: Path) -> None:
    """The same bytes, where PEP 770 has them: equal parts make equal bytes."""
    with zipfile.ZipFile(wheel) as files:
        (inside,) = [name for name in files.namelist() if ".dist-info/sboms/" in name]
        assert files.read(inside).decode() == text
