"""The packages of the daemon's Java: a page has them all, imports point down, and nothing that is shared changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from processor.startup import java

SOURCES = java.ROOT / "daemon" / "src" / "main" / "java"
PAGE = java.ROOT / "docs" / "rooms.md"
KCLS_OWN = {
    "software.amazon.kinesis.multilang": ["ChildProcessors.java"],
    "software.amazon.kinesis.multilang.config": ["KclConfiguration.java"],
}
FILES = [path for path in sorted(SOURCES.rglob("*.java")) if path.name != "package-info.java"]
# A program of its own, which looks at names and ends.
PROVIDER_CHECK = "ProviderCheck.java"
# What never changes once it is made, or holds no more than a cache of how it works.
CONSTANT = re.compile(
    r"(?:int|long|boolean|byte|char|String|Duration|Pattern|Logger|Marker|DateTimeFormatter|BackoffStrategy|ObjectMapper"
    r"|JsonFactory|ApacheHttpRequestFactory|GetShardIteratorResponse|AwsRequestOverrideConfiguration"
    r"|ExecutionAttribute<[^=]+>|List<[^=]+>|Set<[^=]+>|Map<[^=]+>|int\[\]|String\[\]|Pattern\[\])$"
)
# A collection that can't be changed, by the way in which it is made.
_UNCHANGEABLE = ("List.of(", "Set.of(", "Map.of(")
_STATIC_FIELD = re.compile(
    r"^ +(?:public |private |protected )?static ((?:final |volatile )*)([\w.<>\[\], ?]+?) (\w+)(?: =\s*([^;]*))?;",
    re.MULTILINE,
)


def _page() -> dict[str, str]:
    section = PAGE.read_text().partition("\n## The daemon's packages\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `([\w.]+)` \| (.+) \|$", section, re.MULTILINE))


PACKAGES = _page()
RANKS = {name: rank for rank, name in enumerate(PACKAGES)}


def _package(path: Path) -> str:
    return ".".join(path.parent.relative_to(SOURCES).parts)


def _code(path: Path) -> str:
    """The source without comments and without the content of its strings."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r"//.*", "", re.sub(r'"(?:\\.|[^"\\])*"', '""', text))


def test_the_page_has_every_package() -> None:
    """Each stands in the table with the sentence of its package-info; KCL's own package has none of ours."""
    found = {}
    for path in SOURCES.rglob("package-info.java"):
        (sentence,) = re.findall(r"^/\*\* (.+) \*/$", path.read_text(), re.MULTILINE)
        found[_package(path)] = sentence
    assert found == {name: sentence for name, sentence in PACKAGES.items() if name not in KCLS_OWN}
    assert {_package(path) for path in FILES} == set(PACKAGES)


@pytest.mark.parametrize("package", KCLS_OWN)
def test_one_bridge_stands_in_each_of_kcls_packages(package: str) -> None:
    """All else is in packages of our own."""
    assert [path.name for path in FILES if _package(path) == package] == KCLS_OWN[package]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_imports_point_down(path: Path) -> None:
    """A package imports from those below it in the table."""
    ours = set(re.findall(r"^import (?:static )?(replicator(?:\.[a-z]\w*)*)\.[A-Z]", path.read_text(), re.MULTILINE))
    assert ours <= set(RANKS)
    assert set() == {name for name in ours if RANKS[name] <= RANKS[_package(path)]}
    named = set(
        re.findall(r"\breplicator\.[a-z]\w*\.[A-Z]\w*", re.sub(r"^import .*$", "", _code(path), flags=re.MULTILINE))
    )
    assert not named, "a class of another package is named without an import"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_static_changes(path: Path) -> None:
    """Several tasks can share a process: what changes is a field of an object that one of them has."""
    for modifiers, kind, name, value in _STATIC_FIELD.findall(_code(path)):
        assert "final" in modifiers, f"{name} can be set"
        assert CONSTANT.match(kind), f"{name} is a {kind}"
        if kind.partition("<")[0] in ("List", "Set", "Map"):
            assert value.startswith(_UNCHANGEABLE), f"{name} may be changed: {value}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_constructor_starts_a_thread(path: Path) -> None:
    """Whoever makes an object says when it begins to work."""
    code = _code(path)
    for kind in re.findall(r"\bclass (\w+)", code):
        for found in re.finditer(rf"^( +)(?:public |private |protected )?{kind}\([^;{{]*\{{$", code, re.MULTILINE):
            body = code[found.end() :].partition(f"\n{found[1]}}}\n")[0]
            assert not re.search(r"\.(?:start|schedule\w*|execute|submit|runAsync|supplyAsync)\(", body), kind


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_process_ends_in_one_place(path: Path) -> None:
    """In Daemon. A task's end is Exit's, which the process's follows where it has one task."""
    ends = re.findall(r"System\.exit\(|Runtime\.getRuntime\(\)\.halt\(", _code(path))
    assert bool(ends) == (path.name in ("Daemon.java", PROVIDER_CHECK))
