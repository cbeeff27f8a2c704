"""Findings have ids, in one list that the docs and the code are held to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from processor.reporting.finding_ids import IDS
from processor.reporting.findings import error
from processor.startup import java

PAGE = java.ROOT / "docs" / "findings.md"


def _made_in(path: Path) -> Iterator[ast.Call]:
    """Each call that makes a finding there."""
    tree = ast.parse(path.read_text())
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "processor.reporting.findings"
        for alias in node.names
    } & {"error", "warning"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def test_every_finding_has_an_id_of_the_list() -> None:
    """What a call names is in it, or is a variable whose values are; and nothing stands there in vain."""
    files = [path for path in (java.ROOT / "processor").rglob("*.py") if path.name != "finding_ids.py"]
    named = [call.args[0] for path in files for call in _made_in(path)]
    literals = {node.value for node in named if isinstance(node, ast.Constant)}
    assert literals <= IDS.keys()
    words = {
        node.value
        for path in files
        if any(_made_in(path))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert IDS.keys() <= words


def test_the_page_lists_them() -> None:
    """With the same words."""
    assert dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE)) == IDS


def test_ids_are_made_of_words() -> None:
    """As scripts and people write them."""
    assert [name for name in IDS if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []


def test_its_shape_in_json() -> None:
    """What docs/findings.md promises to scripts."""
    found = msgspec.to_builtins(error("stream-off", "stream of t", "is off", "Nothing is replicated", "Turn it on"))
    assert found == {
        "id": "stream-off",
        "severity": "error",
        "object": "stream of t",
        "value": "is off",
        "consequence": "Nothing is replicated",
        "remedy": "Turn it on",
        "cause": "answer",
    }
