"""The rooms of processor/: the page that lists them is true, and imports point down its tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.startup import java
from tests import pages

PACKAGE = java.ROOT / "processor"
PAGE = java.ROOT / "docs" / "rooms.md"
# So many entries a person takes in at one look: fourteen rooms, and three files.
MOST_ENTRIES = 17
# What does I/O, or reads a clock or chance.
IMPURE = {
    "amazon_kclpy",
    "asyncio",
    "boto3",
    "botocore",
    "http",
    "io",
    "logging",
    "os",
    "random",
    "rich",
    "select",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
}

FILES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
MODULES = [name for name in FILES if name != "processor"]
FOLDERS = sorted({path.parent for path in FILES.values()} - {PACKAGE})


def _rooms() -> Iterator[tuple[str, str]]:
    """Each room of the page's tree, from top to bottom: its folder below processor/, and its purpose."""
    tree = pages.shown(PAGE.name, "cli/")
    above: list[str] = []
    for line in tree.splitlines():
        found = re.fullmatch(r"( *)(\w+)/ +(.+)", line)
        assert found, line
        depth = len(found[1]) // 2
        above = [*above[:depth], found[2]]
        yield "/".join(above), found[3]


ROOMS = dict(_rooms())
# From the top down.
RANKS = (
    {"processor": 0, "__main__": 0} | {room: rank for rank, room in enumerate(ROOMS, 1)} | {"errors": len(ROOMS) + 1}
)


def _imports(module: str) -> set[str]:
    """Every module that ``module`` names in an import, wherever in it that stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            assert node.module is not None
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            ours = {name for name in names if name in FILES}
            found |= ours | {node.module} if names - ours else ours
    return found


IMPORTS = {module: _imports(module) for module in MODULES}
GRAPH = {module: {name for name in names if name in MODULES} for module, names in IMPORTS.items()}


def _room(module: str) -> str:
    return module.split(".")[1]


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text())) or ""


def test_the_page_has_every_room() -> None:
    """Each folder stands in the tree with the sentence of its ``__init__.py``, which has nothing else in it."""
    found = {}
    for folder in FOLDERS:
        tree = ast.parse((folder / "__init__.py").read_text())
        assert len(tree.body) == 1, f"{folder} has more than a docstring"
        found[folder.relative_to(PACKAGE).as_posix()] = _docstring(folder / "__init__.py").replace("``", "")
    assert found == ROOMS


def test_the_package_is_seen_at_one_look() -> None:
    """Its folder has few entries."""
    entries = {path for path in PACKAGE.iterdir() if path.suffix == ".py" or path in FOLDERS}
    assert len(entries) <= MOST_ENTRIES


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    """A module imports from its own room, and from those below it in the tree."""
    assert set() == {name for name in GRAPH[module] if RANKS[_room(name)] < RANKS[_room(module)]}


def test_commands_do_not_know_each_other() -> None:
    """A command's room has no import of another's."""
    commands = {module: module.split(".")[2] for module in MODULES if module.startswith("processor.commands.")}
    crossing = {
        (module, name)
        for module in commands
        for name in GRAPH[module] & commands.keys()
        if commands[name] != commands[module]
    }
    assert crossing == set()


def test_there_is_no_circle() -> None:
    """No module imports itself, by whatever way round."""
    left = dict(GRAPH)
    while ready := [module for module, names in left.items() if not names & left.keys()]:
        for module in ready:
            del left[module]
    assert sorted(left) == []


def test_only_one_room_knows_aws_library() -> None:
    """boto3, botocore and the urllib3 below them are imported in aws/ only."""
    knowing = {
        _room(module)
        for module, names in IMPORTS.items()
        if {name.split(".")[0] for name in names} & {"boto3", "botocore", "urllib3"}
    }
    assert knowing == {"aws"}


PURE = [module for module in MODULES if re.search(r"\bPure\b", _docstring(FILES[module]))]


@pytest.mark.parametrize("module", PURE)
def test_what_is_pure_does_no_io(module: str) -> None:
    """A module whose docstring calls it pure opens nothing, and reads neither clock nor chance."""
    names = {name for name in IMPORTS[module] if not name.startswith("processor")}
    assert set() == {name for name in names if name in IMPURE or name.split(".")[0] in IMPURE}


def test_what_is_decided_without_looking_is_pure() -> None:
    """The settings, a record's meaning and the plan of its writes stay so."""
    needed = ("settings.definitions", "settings.settings", "replication.stream_record", "replication.plan")
    assert {f"processor.{name}" for name in needed} <= set(PURE)
