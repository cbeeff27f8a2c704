"""A start waits while daemons with other settings for what is written still run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from processor.commands.replicate import other_view
from processor.startup.facts import Facts
from processor.state import leases, task_row
from processor.state.leases import Lease
from processor.state.task_row import SEVERAL
from tests.fakes.task.tasks import task

SETTINGS = task(filter="attribute_exists(a)")
ROW = task_row.of(SETTINGS, "arn", view_digest="ours")
LEASE = Lease(shard_id="s1", checkpoint="1", owner="other", counter=7)
Look = Callable[..., list[str]]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
    """What is found where leases are ``before``, and then ``after``, and how long it takes."""

    def run(before: list[Lease], after: list[Lease], *, writing: str = "others") -> list[str]:
        now = [0.0]
        facts = Facts(task=structs.replace(ROW, writing_digest=writing), leases=before)
        monkeypatch.setattr(leases, "read", lambda *_: after)
        found = other_view.findings(
            SETTINGS,
            _Clients(),  # type: ignore[arg-type]  # only what is asked of it
            facts,
            "ours",
            set(),
            clock=lambda: now[0],
            sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        )
        assert now[0] <= SETTINGS.failover_seconds
        return [f"{finding.id} {finding.cause}" for finding in found]

    return run


class _Clients:
    """Clients that nobody calls."""

    def checkpoints(self) -> None:
        """The checkpoint table's."""


def test_a_daemon_that_renews_its_lease_is_waited_for(look: Look) -> None:
    """It passes by itself, as soon as the daemon has ended."""
    assert look([LEASE], [structs.replace(LEASE, counter=8)]) == ["view-of-others pending"]


def test_nobody_is_waited_for_in_vain(look: Look) -> None:
    """Neither a dead daemon, nor one with these settings, nor what nobody holds, or holds no more."""
    moved = structs.replace(LEASE, counter=8)
    assert look([LEASE], [LEASE]) == []
    assert look([LEASE], [structs.replace(moved, owner=None)]) == []
    assert look([], [moved]) == []
    assert look([structs.replace(LEASE, owner=None)], [moved]) == []
    assert look([LEASE], [moved], writing="ours") == []


def test_what_several_have_written_is_nobodys_alone() -> None:
    """A start with other settings is remembered, also by the next one with the earlier settings."""
    first = task_row.since(ROW, None, now_ms=1, begun=False)
    assert first.view_digest == "ours"
    others = task_row.since(structs.replace(ROW, view_digest="others"), first, now_ms=2, begun=False)
    assert others.view_digest == SEVERAL
    assert task_row.since(ROW, others, now_ms=3, begun=False).view_digest == SEVERAL
    assert task_row.since(ROW, first, now_ms=3, begun=False).view_digest == "ours"
    elsewhere = structs.replace(ROW, destination_table="another", view_digest="others")
    assert task_row.since(elsewhere, first, now_ms=3, begun=False).view_digest == "others"
