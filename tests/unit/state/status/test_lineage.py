"""Shards and leases → what becomes of each shard."""

from __future__ import annotations

import pytest

from processor.state.leases import SHARD_END, Lease
from processor.state.status.lineage import Lag, Lineage, ShardState, StreamShard

ENDED = "200"
LINE = [
    StreamShard(shard_id="a", ending=ENDED),
    StreamShard(shard_id="b", parent="a", ending=ENDED),
    StreamShard(shard_id="c", parent="b", ending=ENDED),
    StreamShard(shard_id="d", parent="c"),
]


def lease(shard_id: str, *, owner: str | None = "w-1", checkpoint: str = "150", parent: str | None = None) -> Lease:
    """A lease, by default one that w-1 has come somewhere with."""
    parents = (parent,) if parent else ()
    return Lease(shard_id=shard_id, owner=owner, counter=3, checkpoint=checkpoint, parents=parents)


def finished(shard_id: str) -> Lease:
    """A lease of a shard of which all is applied."""
    return lease(shard_id, owner=None, checkpoint=SHARD_END)


def states(shards: list[StreamShard] | None, leases: list[Lease] | None, **lags: Lag) -> dict[str, ShardState]:
    """By shard, where w-1 renews its leases."""
    found = Lineage(shards, leases).states(renewing={"w-1"}, lags=lags)
    return {shard.shard_id: shard for shard in found}


def test_a_shard_is_read_by_who_renews_its_lease() -> None:
    """A lease tells who reads up to where; a lag is passed on."""
    found = states([StreamShard(shard_id="a")], [lease("a")], a=Lag(seconds=1.5))
    expected = ShardState(
        shard_id="a",
        state="reading",
        open=True,
        owner="w-1",
        checkpoint="150",
        parent=None,
        parent_state=None,
        lag_seconds=1.5,
    )
    assert {"a": expected} == found


@pytest.mark.parametrize(
    ("leases", "note"),
    [
        ([], "no lease"),
        (None, "no lease"),
        ([lease("a", owner=None)], "no owner"),
        ([lease("a", owner="w-2")], "owner w-2 does not renew"),
    ],
)
def test_a_shard_that_nobody_reads_is_unowned(leases: list[Lease] | None, note: str) -> None:
    """No lease, no owner, or one that does not renew: the note says which."""
    shard = states([StreamShard(shard_id="a")], leases)["a"]
    assert ("unowned", note) == (shard.state, shard.note)


@pytest.mark.parametrize("owner", [None, "w-1", "w-2"])
def test_a_child_waits_for_its_parent_whoever_has_it(owner: str | None) -> None:
    """Until the parent is finished there is nothing to read, so nobody is missed."""
    shards = [StreamShard(shard_id="a", ending=ENDED), StreamShard(shard_id="b", parent="a")]
    child = states(shards, [lease("a"), lease("b", owner=owner, checkpoint="TRIM_HORIZON", parent="a")])["b"]
    assert (child.state, child.parent_state) == ("waiting", "unfinished")


def test_a_child_without_a_lease_waits_too() -> None:
    """Its lease is made when its parent ends."""
    shards = [StreamShard(shard_id="a", ending=ENDED), StreamShard(shard_id="b", parent="a")]
    assert states(shards, [lease("a")])["b"].state == "waiting"


def test_a_child_of_a_finished_parent_is_to_be_read() -> None:
    """Then it needs an owner."""
    shards = [StreamShard(shard_id="a", ending=ENDED), StreamShard(shard_id="b", parent="a")]
    found = states(shards, [finished("a"), lease("b", owner=None, parent="a")])
    assert {shard.shard_id: shard.state for shard in found.values()} == {"a": "finished", "b": "unowned"}
    assert found["b"].parent_state == "finished"
    assert (found["a"].open, found["b"].open) == (False, True)


def test_a_shard_whose_lease_was_removed_after_its_end_is_finished() -> None:
    """All after it are finished, too: so its own was removed, hours before the stream forgets it."""
    leases = [finished("c"), lease("d", parent="c")]
    found = states(LINE, leases)
    assert [shard.state for shard in found.values()] == ["finished", "finished", "finished", "reading"]
    assert not any(shard.lost for shard in found.values())
    assert {"d"} == Lineage(LINE, leases).unfinished().keys()


def test_a_shard_whose_lease_went_before_its_end_was_not_read() -> None:
    """Nothing after it is begun: it is to be read, and those after it wait."""
    found = states(LINE, [lease("d", checkpoint="TRIM_HORIZON", parent="c")])
    assert [shard.state for shard in found.values()] == ["unowned", "waiting", "waiting", "waiting"]
    assert found["a"].note == "no lease"
    assert Lineage(LINE, [lease("d", checkpoint="TRIM_HORIZON", parent="c")]).unfinished().keys() == set("abcd")


@pytest.mark.parametrize("leases", [[lease("d", parent="c")], [lease("c", parent="b"), lease("d", parent="c")]])
def test_a_shard_whose_lease_went_while_those_after_it_are_read_is_lost(leases: list[Lease]) -> None:
    """Whether it was read to its end nobody knows: KCL removes no lease before all shards after it are finished."""
    found = states(LINE, leases)
    lost = {shard_id for shard_id, shard in found.items() if shard.lost}
    assert lost == {shard.shard_id for shard in LINE} - {each.shard_id for each in leases}
    assert {found[shard_id].state for shard_id in lost} == {"finished"}
    assert "removed" in found["a"].note
    assert found["d"].state != "unowned"


def test_a_shard_that_is_finished_though_it_is_open() -> None:
    """Its lease can't be right; one that has children is closed, whatever its own entry says."""
    shards = [StreamShard(shard_id="a"), StreamShard(shard_id="b"), StreamShard(shard_id="c", parent="b")]
    found = states(shards, [finished("a"), finished("b"), lease("c", parent="b")])
    assert [shard.finished_early for shard in found.values()] == [True, False, False]


def test_a_parent_that_nobody_knows_of_any_more_is_not_waited_for() -> None:
    """It is past its 24 hours, lease and all."""
    shard = states([StreamShard(shard_id="b", parent="a")], [lease("b", parent="a")])["b"]
    assert (shard.state, shard.parent, shard.parent_state) == ("reading", "a", None)


def test_an_unfinished_shard_that_the_stream_has_no_more_is_lost() -> None:
    """A finished one is only history."""
    found = states([], [lease("a"), finished("b")])
    assert (found["a"].lost, found["a"].open) == (True, None)
    assert "no longer has it" in found["a"].note
    assert not found["b"].lost


def test_without_the_stream_leases_say_what_they_can() -> None:
    """Nothing is lost only because the stream could not be asked."""
    found = states(None, [lease("a"), lease("b", parent="a"), finished("c")])
    assert [shard.state for shard in found.values()] == ["reading", "waiting", "finished"]
    assert [shard.open for shard in found.values()] == [None, None, None]
    assert not any(shard.lost for shard in found.values())


def test_what_is_left_to_apply_begins_at_the_checkpoint() -> None:
    """Finished shards are left out; one without a lease has no checkpoint yet."""
    shards = [StreamShard(shard_id="a", ending=ENDED), StreamShard(shard_id="b"), StreamShard(shard_id="c")]
    assert Lineage(shards, [finished("a"), lease("b")]).unfinished() == {"b": "150", "c": None}
