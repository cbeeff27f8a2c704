"""What is known to be wrong with what we run on, and what of that is accepted: advisories.toml, and two databases.

The databases are asked where they can be reached; where they can't, that is said, and what stands in advisories.toml is
all that is known.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.audit.inventory import Jar

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = Path(__file__).parent / "advisories.toml"
# https://google.github.io/osv.dev/post-v1-query/
OSV = "https://api.osv.dev/v1/query"
_OSV_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Advisory:
    """One entry of the file."""

    package: str
    ids: tuple[str, ...]
    source: str
    below: str | None
    accepted: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a database says of one package; ``ids`` are names of the same thing."""

    package: str
    version: str
    ids: tuple[str, ...]

    @property
    def line(self) -> str:
        """For people."""
        return f"{self.package} {self.version}: {', '.join(self.ids)}"


class Unreachable(Exception):  # noqa: N818  # no error: it is said, and the audit goes on without
    """A database gave no answer that can be used."""


def read(file: Path = FILE) -> list[Advisory]:
    """The file's entries."""
    entries = tomllib.loads(file.read_text())["advisory"]
    return [
        Advisory(each["package"], tuple(each["ids"]), each["source"], each.get("below"), each.get("accepted", ""))
        for each in entries
    ]


def stale(known: Iterable[Advisory], versions: Mapping[str, str]) -> list[Advisory]:
    """Entries that stand there for nothing: the package is gone, or mended.

    :param versions: of everything that we run on, by package
    """
    return [
        each
        for each in known
        if each.package not in versions
        or (each.below is not None and _parts(versions[each.package]) >= _parts(each.below))
    ]


def unaccepted(findings: Iterable[Finding], known: Iterable[Advisory]) -> list[Finding]:
    """Those that no entry accepts."""
    accepted = {(each.package, name) for each in known if each.accepted.strip() for name in each.ids}
    return [each for each in findings if not any((each.package, name) in accepted for name in each.ids)]


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def of_jars(jars: Iterable[Jar], url: str = OSV) -> list[Finding]:
    """Ask OSV about each.

    :raises Unreachable: it can't be asked
    """
    first, *rest = jars
    found = _ask(first, url)  # alone: where nobody answers, it is enough to hear that once
    with ThreadPoolExecutor(8) as pool:
        return [*found, *(finding for findings in pool.map(lambda jar: _ask(jar, url), rest) for finding in findings)]


def _ask(jar: Jar, url: str) -> list[Finding]:
    question = {"package": {"ecosystem": "Maven", "name": jar.artifact}, "version": jar.version}
    request = Request(url, json.dumps(question).encode(), {"Content-Type": "application/json"})  # noqa: S310  # OSV's
    try:
        with urlopen(request, timeout=_OSV_SECONDS) as answer:  # noqa: S310  # the same
            said: dict[str, Any] = json.load(answer)
    except (URLError, OSError, ValueError) as exc:
        raise Unreachable(f"{url}: {exc}") from exc
    return [
        Finding(jar.artifact, jar.version, (each["id"], *each.get("aliases", []))) for each in said.get("vulns", [])
    ]


def of_packages(report: str) -> list[Finding]:
    """What pip-audit found.

    :param report: its ``--format json``
    :raises Unreachable: it looked at nothing, or not at all; it ends with 0 all the same
    """
    try:
        dependencies = json.loads(report)["dependencies"]
    except (ValueError, KeyError) as exc:
        raise Unreachable("PyPI's advisories: pip-audit gave no report") from exc
    skipped = [each["name"] for each in dependencies if "skip_reason" in each]
    if skipped:
        message = f"PyPI's advisories: pip-audit could not look at {len(skipped)} of {len(dependencies)} packages"
        raise Unreachable(message)
    return [
        Finding(each["name"], each["version"], (found["id"], *found.get("aliases", [])))
        for each in dependencies
        for found in each["vulns"]
    ]
