"""What ``./test.sh drill`` types with: it takes what a page shows for shown, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from processor.startup import java
from tests import pages
from tests.drill.steps import Step, steps
from tests.drill.terminal import NotShownError, Terminal
from tests.fakes.patience import until

_SCREEN = """\
{"an answer": 3}
Copied 3 items, 66 B, of orders (us-east-1) -> orders-copy (eu-west-1)
2026-11-28T07:48:53.351Z NOTICE shard_started shard=shardId-1-a checkpoint=TRIM_HORIZON
2026-11-28T07:48:55.000Z WARNING checkpoints_unusable seconds=17 error=ResourceNotFoundException
task         drill: healthy, running; lag 12.5 s; daemons: 1 of 2 alive \t
error   task drill: is stopped: no daemon renews a lease.
        Nothing is replicated.
│ equal                      │    4 │
│ missing at the destination │    0 │
0
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """In a folder of its own, where the pages' 18000 is 12345."""
    with Terminal(tmp_path, ports={"18000": 12345}, environment={}) as made:
        yield made


def test_a_block_is_commands_and_what_they_show() -> None:
    """A command has the lines that continue it; without ``$``, all are commands."""
    assert list(steps("$ one \\\n    two\nshown\n    more\n$ three\n")) == [
        Step("one \\\n    two\n", "shown\n    more\n"),
        Step("three\n", ""),
    ]
    assert list(steps("one\ntwo\n")) == [Step("one\ntwo\n", "")]


@pytest.mark.parametrize(
    "shown",
    [
        "Copied 3 items, 66 B, of orders (us-east-1) -> orders-copy (eu-west-1)",
        "NOTICE shard_started shard=shardId-… checkpoint=TRIM_HORIZON",
        "2026-05-01T00:00:00.000Z NOTICE shard_started …",
        "WARNING checkpoints_unusable seconds=5 …",
        "task         drill: healthy, running; lag 0.0 s; …",
        "error   task drill: is stopped: no daemon renews\n        a lease. Nothing is replicated.\n0",
        "…\n│ equal                      │    4 │\n│ missing at the destination │    0 │",
        "Copied 3 items, …\n│ equal │    4 │\n0\n",
    ],
)
def test_what_is_shown_is_found(shown: str) -> None:
    """Between other lines, whatever its moment and its seconds are, and wherever lines are broken."""
    assert Step("", shown).pattern.search(_SCREEN)


@pytest.mark.parametrize(
    "shown",
    [
        "Copied 4 items, 66 B, of orders (us-east-1) -> orders-copy (eu-west-1)",
        "Copied 3 items, 66 B",
        "3 items, 66 B, of …",
        "task         drill: not healthy, …",
        "│ equal                      │    5 │",
        "│ missing at the destination │    0 │\n│ equal                      │    4 │",
        "5",
    ],
)
def test_what_is_shown_otherwise_is_not(shown: str) -> None:
    """Another number, another order, a line's beginning or its end alone."""
    assert not Step("", shown).pattern.search(_SCREEN)


def test_a_terminal_goes_on_from_step_to_step(terminal: Terminal) -> None:
    """What is begun writes to it later, and variables, functions and the last process stay."""
    block = """\
$ src() { echo "at 18000: $1"; }; (until [ -f told ]; do sleep 0.01; done; echo 'NOTICE told'; exit 3) &
$ src 7; touch told
NOTICE told
$ wait $!; echo $?
3
"""
    for step in steps(block):
        terminal.follow(step, seconds=60)
    assert "at 12345: 7\n" in terminal.screen


@pytest.mark.parametrize(("command", "shown"), [("echo 8", "9"), ("false", ""), ("no_such_program", "")])
def test_a_step_that_shows_something_else_is_said(terminal: Terminal, command: str, shown: str) -> None:
    """Or that fails, where the page shows nothing."""
    with pytest.raises(NotShownError, match=command):
        terminal.follow(Step(f"{command}\n", shown), seconds=0.1)


def test_what_was_begun_ends_with_the_terminal(tmp_path: Path) -> None:
    """Servers and daemons, too, be they stopped."""
    with Terminal(tmp_path, ports={}, environment={}) as made:
        made.follow(Step("sleep 600 & echo $! >id; kill -STOP $!\n", ""), seconds=60)
    begun = int((tmp_path / "id").read_text())
    until(
        lambda: not psutil.pid_exists(begun) or psutil.Process(begun).status() == psutil.STATUS_ZOMBIE,
        "its end",
    )


def test_the_drill_has_steps() -> None:
    """Each of its blocks that is typed, down to a command."""
    page = java.ROOT / "docs/drill.md"
    found = [step for block in pages.blocks(page) for step in steps(block.text)]
    assert all(step.command.strip() for step in found)
    assert sum(bool(step.shown) for step in found) > 20
