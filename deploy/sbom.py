"""Writes what the wheel brings and runs on, as CycloneDX 1.6 in JSON: ``python deploy/sbom.py FILE``.

All must be set up. Jars are those of daemon/jars.lock, with their hashes, and our own. Python's packages are those of
requirements.lock; each may be one of several files there, whose hashes stand as properties. There is no time in it:
equal parts make equal bytes.
"""  # noqa: INP001  # a program; nobody imports it

from __future__ import annotations

import hashlib
import re
import sys
import uuid
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from processor import __version__
from processor.startup.jar_lock import OURS, locked

ROOT = Path(__file__).resolve().parent.parent
NAME = "dynamodb-replicator"
_OURS = ROOT / "jars" / OURS
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, NAME)
_HASH_PROPERTY = f"{NAME}:requirements.lock:sha256"
# Beginnings of what jars say, in lower case, and SPDX's name for it.
_SAID = {
    "apache": "Apache-2.0",
    "the apache": "Apache-2.0",
    "https?://(www.)?(aws.amazon.com/apache2.0|apache.org/licenses/license-2.0)": "Apache-2.0",
    "https://opensource.org/licenses/bsd-3-clause": "BSD-3-Clause",
    "https?://www.opensource.org/licenses/mit-license": "MIT",
    "mit": "MIT",
    "http://www.eclipse.org/legal/epl-v10.html, http://www.gnu.org/": "EPL-1.0 OR LGPL-2.1-only",
}
# Of groups whose jars say nothing; their parents' POMs do.
_SILENT = {
    "com.beust": "Apache-2.0",
    "io.reactivex.rxjava3": "Apache-2.0",
    "org.apache.httpcomponents": "Apache-2.0",
    "org.codehaus.mojo": "MIT",
    "org.reactivestreams": "MIT-0",
    "software.amazon.awssdk": "Apache-2.0",
    "software.amazon.kinesis": "Apache-2.0",
}
_LICENSES = LicenseFactory()


def bom() -> Bom:
    """All of it, as far as it is known here."""
    made = Bom()
    made.metadata.timestamp = None  # type: ignore[assignment]  # it is optional in CycloneDX
    made.metadata.component = Component(
        name=NAME,
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref=NAME,
        licenses=_license("Apache-2.0"),
    )
    parts = [*_jars(), *_packages()]
    made.components.update(parts)
    made.register_dependency(made.metadata.component, parts)
    made.serial_number = uuid.uuid5(_NAMESPACE, "\n".join(sorted(f"{part.purl} {part.hashes}" for part in parts)))
    return made


def _jars() -> Iterator[Component]:
    folders = [*ROOT.glob(".venv/lib/python3*/site-packages/amazon_kclpy/jars"), ROOT / "jars"]
    files = {path.name: path for folder in folders for path in folder.glob("*.jar")}
    for jar in locked(ROOT / "daemon" / "jars.lock"):
        said = _said(files[jar.file_name]) or _SILENT.get(jar.group)
        purl = PackageURL("maven", jar.group, jar.artifact, jar.version)
        yield _component(jar.artifact, jar.version, said=said, sha256=jar.sha256, purl=purl, group=jar.group)
    sha256 = hashlib.sha256(_OURS.read_bytes()).hexdigest()
    yield _component(_OURS.stem, __version__, said="Apache-2.0", sha256=sha256)


def _packages() -> Iterator[Component]:
    text = (ROOT / "requirements.lock").read_text()
    for name, version, rest in re.findall(r"^([\w.-]+)==([^\s;]+)(.*(?:\n .*)*)", text, re.MULTILINE):
        made = _component(name, version, said=_license_of(name), purl=PackageURL("pypi", None, name, version))
        made.properties.update(
            Property(name=_HASH_PROPERTY, value=sha256) for sha256 in re.findall(r"--hash=sha256:(\w+)", rest)
        )
        yield made


def _component(
    name: str,
    version: str,
    *,
    said: str | None,
    sha256: str | None = None,
    purl: PackageURL | None = None,
    group: str | None = None,
) -> Component:
    return Component(
        name=name,
        version=version,
        group=group,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl or f"{name}@{version}"),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else [],
        licenses=_license(said) if said else [],
    )


def _said(jar: Path) -> str | None:
    """The licence as the jar itself has it, in its POM or its manifest."""
    with zipfile.ZipFile(jar) as files:
        poms = [name for name in files.namelist() if re.fullmatch(r"META-INF/maven/.*/pom\.xml", name)]
        texts = [
            re.findall(r"<license>\s*<name>(.*?)</name>", files.read(name).decode(errors="replace")) for name in poms
        ]
        manifest = files.read("META-INF/MANIFEST.MF").decode(errors="replace").replace("\r", "").replace("\n ", "")
    bundle = re.findall(r"^Bundle-License: (.*)$", manifest, re.MULTILINE)
    said = next((each.strip() for names in [*texts, bundle] for each in names), None)
    return next((name for words, name in _SAID.items() if said and re.match(words, said.lower())), said)


def _license_of(package: str) -> str | None:
    try:
        about = metadata.metadata(package)
    except metadata.PackageNotFoundError:  # of another Python, or another system
        return None
    classifiers = [
        each.rpartition(" :: ")[2] for each in about.get_all("Classifier", []) if each.startswith("License :: ")
    ]
    short = [each for each in about.get_all("License", []) if each != "UNKNOWN" and "\n" not in each]
    return next(iter([*about.get_all("License-Expression", []), *short, *classifiers]), None)


def _license(said: str) -> list[Any]:
    return [_LICENSES.make_from_string(said)]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(JsonV1Dot6(bom()).output_as_string(indent=1) + "\n")
