"""The commands on the pages: each of ours is one that is taken, and a test types each block, or it says why not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.cli import arguments, completion, help, main  # noqa: A004  # a module of ours
from processor.cli.registry import COMMANDS, REPLICATE
from processor.startup import java
from tests.fakes.task import tasks
from tests.pages import PAGES, TYPED, blocks, fenced

_OURS = re.compile(r"^(?:\S*/)?(?:run\.sh|dynamodb-replicator)\s+(?!─)")


def ours(lines: list[str]) -> Iterator[list[str]]:
    """The words of each command of this program among them."""
    for line in lines:
        text = line.removeprefix("$ ").removeprefix("until ")
        if _OURS.match(text):
            text = re.split(r"\s*(?:\||;|&$|>)", text)[0]
            yield shlex.split(text)[1:]


def test_every_block_is_typed_by_a_test_or_says_why_not() -> None:
    """A page with a block that is not marked has a test, and every test such a page."""
    assert {page.name for page in PAGES if any(not block.why for block in blocks(page))} == set(TYPED)


def test_a_block_with_commands_is_known_as_such(tmp_path: Path) -> None:
    """By a prompt, by a program, or by an option; settings, answers and drawings are none."""
    page = tmp_path / "page.md"
    given = [
        "$ sleep 6\nslept",
        "./run.sh check a.properties",
        "gh release verify 1 --repo A",
        "conf/\n  a = b --c",
        "a ─ b",
    ]
    page.write_text("\n\n".join(f"```\n{text}\n```" for text in given))
    assert [block.text.strip() for block in blocks(page)] == given[:3]


def test_what_a_mark_names_is_there() -> None:
    """A test or a folder of tests, and what ``./test.sh`` is told to do."""
    marks = [block.why for page in PAGES for block in fenced(page) if block.why]
    usage = (java.ROOT / "test.sh").read_text()
    assert [
        name for why in marks for name in re.findall(r"tests/[\w./]+", why) if not (java.ROOT / name).exists()
    ] == []
    assert [
        name for why in marks for name in re.findall(r"\./test\.sh (\w+)", why) if f"#   ./test.sh {name} " not in usage
    ] == []
    assert [why for why in marks if len(why.split()) < 3] == []


@pytest.mark.parametrize("page", TYPED)
def test_the_test_that_types_a_page_names_it(page: str) -> None:
    """It is there, and takes the page; ``Shell`` sees that it then types all of its blocks."""
    file, _, name = TYPED[page].partition("::")
    text = (java.ROOT / file).read_text()
    body = text.partition(f"\ndef {name}(")[2].partition("\n\n\n")[0]
    assert f'"{page}"' in body


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_ours_is_one_that_is_taken(page: Path) -> None:
    """A command, its options and settings by the names that they have."""
    for block in blocks(page):
        for words in ours(block.lines):
            _insist(words)


def _insist(words: list[str]) -> None:
    """Parse it as ``main.py`` does, up to the files that it names."""
    if completion.asked(words) or help.asked(words):
        return
    words = [*main._with_demo(words)]
    command = COMMANDS.get(words[0], REPLICATE)
    _, rest = command.take(words[1:] if command.name else words)
    named = arguments.take_named(rest)
    assert named.files, words
    for file in named.files:
        path = Path(file)
        known = path.suffix == ".properties" or path.name in ("conf", "FILE", "dynamodb-replicator", "DIRECTORY")
        assert known, f"{words}: {file} is no properties file"
    arguments.complete(
        arguments=named.settings,
        written=tasks.REQUIRED,
        environment={},
        directory=Path("/"),
        log_directory=Path("/logs"),
        made=arguments.parser("run.sh", command.usage, command),
    )
