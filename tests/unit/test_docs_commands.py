"""The commands on the pages: each of ours is one that is taken, and a test runs each page's, or here is why not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.cli import arguments, help, registry  # noqa: A004  # a module of ours
from processor.cli.registry import COMMANDS, REPLICATE
from processor.startup import java
from tests.fakes.task import tasks

PAGES = [java.ROOT / "README.md", *sorted((java.ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^( *)```\w*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_OURS = re.compile(r"^(?:\S*/)?(?:run\.sh|dynamodb-replicator)\s+(?!─)")
_TYPED = re.compile(
    r"^(?:\$ )?(?:\S*/)?(?:run\.sh|dynamodb-replicator|setup\.sh|test\.sh|aws|docker|sudo|python3|pip|pipx|export|git"
    r"|until|kill|src|dst|printf|helm|terraform)\s+(?!─)"
)

DRILL = "what each step of it must come to is scenarios' (test_data_loss.py, test_outages.py, test_lost_changes.py)"
ENGINE = "no container engine is here; ./test.sh image runs the Dockerfile's steps (tests/deploy/)"
# By page: which test runs its blocks of commands, or why none does. A page that is not here has none.
WHERE = {
    "README.md": "the demo: tests/scenarios/test_run_sh.py; a first replication: tests/scenarios/test_docs.py",
    "aws-proof.md": "needs an account; tests/aws/test_proof.py runs it on servers of this machine",
    "choose.md": "tests/unit/view/test_mask.py has the same digest as openssl",
    "console.md": "tests/scenarios/test_console.py and tests/protocol/test_console.py",
    "copy.md": "tests/scenarios/test_copy.py",
    "cutover.md": "tests/scenarios/test_docs.py",
    "dead-letters.md": "tests/scenarios/test_redrive.py",
    "deploy.md": f"the wheel: tests/scenarios/test_wheel.py; {ENGINE}; systemd and ECS: tests/deploy/test_deploy.py "
    "reads their files, and neither is here",
    "drill.md": f"needs the AWS command line; {DRILL}",
    "from-java.md": "needs the AWS command line",
    "index.md": "its sample of a start: tests/scenarios/test_docs.py",
    "many.md": "tests/protocol/test_many.py and tests/scenarios/test_many_tasks.py",
    "metrics.md": "tests/protocol/test_publishing.py; needs a collector",
    "operations.md": "an upgrade needs two versions",
    "performance.md": "minutes of benches; tests/scenarios/test_bench.py has a short one",
    "preview.md": "tests/protocol/test_preview.py",
    "security.md": "tests/protocol/test_policy.py",
    "trial.md": "tests/scenarios/test_docs.py; its tables are made without the AWS command line",
    "verify.md": "tests/scenarios/test_verify.py",
}


def blocks(page: Path) -> Iterator[list[str]]:
    """The lines of each block of commands, with continued ones joined, without comments and indentation."""
    for match in _BLOCK.finditer(page.read_text()):
        text = re.sub(r"\\\n\s*", "", match[2])
        lines = [re.sub(r"\s+# .*$", "", line.strip()) for line in text.splitlines()]
        if any(_TYPED.match(line) for line in lines):
            yield lines


def ours(lines: list[str]) -> Iterator[list[str]]:
    """The words of each command of this program among them."""
    for line in lines:
        text = line.removeprefix("$ ").removeprefix("until ")
        if _OURS.match(text):
            text = re.split(r"\s*(?:\||;|&$|>)", text)[0]
            yield shlex.split(text)[1:]


def test_every_page_with_commands_says_where_they_are_run() -> None:
    """And no other page does."""
    assert {page.name for page in PAGES if list(blocks(page))} == set(WHERE)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name in WHERE], ids=lambda page: page.name)
def test_every_command_of_ours_is_one_that_is_taken(page: Path) -> None:
    """A command, its options and settings by the names that they have."""
    for lines in blocks(page):
        for words in ours(lines):
            _insist(words)


def _insist(words: list[str]) -> None:
    """Parse it as ``main.py`` does, up to the files that it names."""
    if help.asked(words) is not None:
        return
    command = COMMANDS.get(words[0], REPLICATE)
    _, rest = registry.take(command, words[1:] if command.name else words)
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


def test_the_tests_that_are_named_are_there() -> None:
    """Each file by its path."""
    named = {name for text in WHERE.values() for name in re.findall(r"tests/[\w/]+\.py", text)}
    assert [name for name in sorted(named) if not (java.ROOT / name).exists()] == []
