"""What the replicator runs on is what was looked at, byte for byte; what is known to be wrong with it is accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from processor.startup import java
from tests.audit import advisories, inventory
from tests.audit.advisories import Advisory, Finding, Unreachable
from tests.audit.inventory import Jar
from tests.fakes.network.listener import Listener


def _pinned() -> dict[str, str]:
    lock = (java.ROOT / "requirements.lock").read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock, re.MULTILINE))


VERSIONS = _pinned() | {jar.artifact: jar.version for jar in inventory.locked()}
ADVISORY = Advisory("a:b", ("CVE-1", "GHSA-1"), "https://example.org", "1.10.0.Final", "It does no harm.")


def test_the_jars_are_those_that_were_looked_at() -> None:
    """Every jar of the class path is one of daemon/jars.lock, with the same bytes, and none of these is missing."""
    assert [jar.line for jar in inventory.locked()] == [jar.line for jar in inventory.found()]


def test_what_is_known_is_accepted_for_a_reason_and_still_so() -> None:
    """Each entry has a source and a reason, and is about a version that we do run on."""
    known = advisories.read()
    assert [each for each in known if not (each.accepted.strip() and each.source.startswith("https://"))] == []
    assert advisories.stale(known, VERSIONS) == []


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"a:b": "1.9.9.Final"}, []),
        ({"a:b": "1.10.0.Final"}, [ADVISORY]),
        ({"a:b": "2.0"}, [ADVISORY]),
        ({}, [ADVISORY]),
    ],
)
def test_an_entry_ends_with_its_version(versions: dict[str, str], expected: list[Advisory]) -> None:
    """What was mended, or is not there any more, must not stand there as accepted."""
    assert expected == advisories.stale([ADVISORY], versions)


def test_only_what_is_accepted_by_name_passes() -> None:
    """By any of its names, for the very package; an entry without a reason accepts nothing."""
    finding = Finding("a:b", "1.0", ("GHSA-1", "CVE-1"))
    other = Finding("a:b", "1.0", ("GHSA-2",))
    elsewhere = Finding("a:c", "1.0", ("GHSA-1",))
    assert advisories.unaccepted([finding, other, elsewhere], [ADVISORY]) == [other, elsewhere]
    silent = Advisory("a:b", ("GHSA-1",), "https://example.org", None, " ")
    assert advisories.unaccepted([finding], [silent]) == [finding]


@pytest.mark.parametrize(
    "report",
    [
        "",
        "<html>",
        json.dumps({"dependencies": [{"name": "six", "skip_reason": "not found on PyPI"}]}),
    ],
)
def test_an_audit_that_looked_at_nothing_is_none(report: str) -> None:
    """pip-audit ends with 0 where the database knows no package at all; that must not look like a clean one."""
    with pytest.raises(Unreachable):
        advisories.of_packages(report)


def test_what_pip_audit_finds_is_found() -> None:
    """Its report, as version 2.10 writes it."""
    found = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2"]}
    report = {
        "dependencies": [{"name": "six", "version": "1", "vulns": [found]}, {"name": "a", "version": "2", "vulns": []}]
    }
    assert advisories.of_packages(json.dumps(report)) == [Finding("six", "1", ("PYSEC-1", "CVE-1"))]


class _Osv(BaseHTTPRequestHandler):
    """Knows of one thing wrong with one version of one jar; https://google.github.io/osv.dev/post-v1-query/ has how."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wrong = asked == {"package": {"ecosystem": "Maven", "name": "a:b"}, "version": "1.0"}
        answer = {"vulns": [{"id": "GHSA-1", "aliases": ["CVE-1"]}]} if wrong else {}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def osv() -> Iterator[str]:
    """OSV's query, as far as it is needed."""
    with Listener(_Osv) as server:
        yield f"http://127.0.0.1:{server.port}"


def test_what_osv_knows_is_found(osv: str) -> None:
    """Each jar is asked for by group, artifact and version."""
    jars = [Jar("a:b", "1.0", ""), Jar("a:b", "1.1", ""), Jar("a:c", "1.0", "")]
    assert advisories.of_jars(jars, osv) == [Finding("a:b", "1.0", ("GHSA-1", "CVE-1"))]


def test_an_osv_that_is_not_there_is_said(osv: str) -> None:
    """No answer is no clean bill."""
    closed = osv.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(Unreachable):
        advisories.of_jars([Jar("a:b", "1.0", "")], closed)
