"""What is decided in one place is decided nowhere else."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from processor.aws.errors import DENIALS, KINDS, STALE_CREDENTIALS

ROOT = Path(__file__).parents[2] / "processor"
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.rglob("*.py")}


def _having(text: str) -> set[str]:
    return {name for name, source in SOURCES.items() if text in source}


def test_a_table_is_described_in_one_module() -> None:
    """DescribeTable has one caller; whoever wants to know a table asks that."""
    assert _having(".describe_table(") == {"dynamodb/describe.py"}


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "ResourceInUseException"])
def test_kinds_of_failure_are_classes(code: str) -> None:
    """Nobody above ``aws/`` compares the code; ``errors.py`` has it as what is said where no answer had one."""
    assert {name for name in _having(f'"{code}"') if not name.startswith("aws/")} <= {"errors.py"}


def test_time_and_threads_know_no_aws() -> None:
    """``flow/`` tells failures by their classes."""
    codes = DENIALS | STALE_CREDENTIALS | KINDS.keys()
    found = {code for name, source in SOURCES.items() if name.startswith("flow/") for code in codes if code in source}
    assert found - {"403"} == set()
    assert not {name for name in _having("processor.aws") if name.startswith("flow/")}


def test_outages_are_said_in_one_module() -> None:
    """An event that ends in ``_over`` is the end of one, and no loop says it by itself."""
    assert _having('_over"') <= {"flow/outage.py", "replication/standstill.py"}


def test_types_are_made_ready_in_one_module() -> None:
    """Whoever else had msgspec do it could do so in two threads at once."""
    assert _having("msgspec.convert(") | _having("json.Decoder(") == {"flow/shapes.py"}
    assert {name for name, source in SOURCES.items() if re.search(r"json\.decode\([^\n]*type=", source)} == {
        "flow/shapes.py"
    }


def test_chance_is_no_state_that_threads_share() -> None:
    """Nobody draws from the global generator, in tests neither: Hypothesis takes another thread's draw for its own."""
    shared = {
        f"{path}: random.{node.attr}"
        for folder in (ROOT, ROOT.parent / "tests")
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "random"
        if node.attr not in {"Random", "SystemRandom"}
    }
    assert shared == set()


def _private_of_libraries(source: str, module: ModuleType) -> set[str]:
    """Private members of a library's classes that classes of a module override, or use as their own."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        made = getattr(module, node.name, None) if isinstance(node, ast.ClassDef) else None
        if made is None:
            continue
        libraries = [base for base in made.__mro__ if base.__module__.split(".")[0] not in {"processor", "builtins"}]
        private = {name for base in libraries for name in vars(base) if name.startswith("_") and name[1] != "_"}
        named = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
        named |= {part.name for part in ast.walk(node) if isinstance(part, ast.FunctionDef)}
        found |= {f"{node.name}.{name}" for name in private & named}
    return found


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_private_members_of_libraries_are_nobodys_own(name: str) -> None:
    """A class of ours neither overrides nor calls what its library may rename; ``internals.py`` reach the rest."""
    if name.endswith("__main__.py"):
        return
    module = importlib.import_module(
        f"processor.{name.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")
    )
    assert _private_of_libraries(SOURCES[name], module) == set()
