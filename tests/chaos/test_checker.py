"""The checker itself: what it must notice, and what it must not."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from tests.chaos.checker import SHARD_END, Checker, Letter, Verdict
from tests.chaos.journal import Applied, Change, Checkpointed, Ended, Entry, Started, Taken

A, B = "a", "b"


def change(place: int, key: str = "k", *, put: bool = True, refused: bool = False, shard: str = "s") -> Change:
    """A change whose number, sequence number and moment are all ``place``."""
    return Change(
        number=place,
        sequence=place,
        shard=shard,
        key=key,
        digest=f"image {place}" if put else None,
        refused=refused,
        made_at=0.0,
    )


def put(place: int, key: str = "k", *, by: str = A) -> Applied:
    """The destination took that put."""
    return Applied(machine=by, key=key, number=place, digest=f"image {place}")


def delete(key: str = "k", *, by: str = A) -> Applied:
    """The destination took a delete."""
    return Applied(machine=by, key=key, number=None, digest=None)


def take(by: str = A, shard: str = "s") -> Taken:
    """A machine takes the shard."""
    return Taken(machine=by, shard=shard, owner=by)


def checkpoint(place: int | str, *, by: str = A, shard: str = "s") -> Checkpointed:
    """The shard's checkpoint is stored."""
    return Checkpointed(machine=by, shard=shard, checkpoint=str(place))


def check(history: Sequence[Change], *journal: Entry, letters: Sequence[Letter] = (), coalesce: bool = True) -> Verdict:
    """Run the checker on a journal whose entries are a second apart."""
    clock = itertools.count(1)
    timed = [type(entry)(**{**_fields(entry), "at": float(next(clock))}) for entry in journal]
    return Checker(history, letters, coalesce=coalesce).run(timed)


def _fields(entry: Entry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in type(entry).__dataclass_fields__}


PUTS = [change(place) for place in range(1, 10)]


def test_in_order_is_fine() -> None:
    """Each change written and checkpointed, or superseded by one that is."""
    verdict = check(PUTS, take(), put(1), checkpoint(1), put(4), checkpoint(4), put(9), checkpoint(9))
    assert verdict.violations == []
    assert (verdict.writes, verdict.checkpoints, verdict.replays) == (3, 3, 0)


def test_a_checkpoint_before_its_write_is_noticed() -> None:
    """The write comes all the same, but a crash in between would have lost it."""
    (found,) = check(PUTS, take(), put(1), checkpoint(2), put(2)).violations
    assert "put 2 (sequence number 2) of key k was not applied" in found


def test_without_coalescing_each_change_must_be_written() -> None:
    """A later write of the key does not stand for an earlier one then."""
    (found,) = check(PUTS[:3], take(), put(1), put(3), checkpoint(3), coalesce=False).violations
    assert "put 2" in found


def test_the_end_of_a_shard_is_a_checkpoint_past_all_of_it() -> None:
    """SHARD_END lets the children begin."""
    (found,) = check(PUTS, take(), put(1), checkpoint(SHARD_END)).violations
    assert "put 9" in found


def test_a_delete_that_was_never_written_is_noticed() -> None:
    """An earlier delete of the same key is not taken for it."""
    history = [change(1), change(2, put=False), change(3), change(4, put=False)]
    (found,) = check(history, take(), put(1), delete(), checkpoint(2), put(3), checkpoint(4)).violations
    assert "delete 4" in found
    assert check(history, take(), put(1), delete(), checkpoint(2), put(3), delete(), checkpoint(4)).violations == []
    assert check(history, take(), delete(), checkpoint(4)).violations == []


def test_what_never_passed_a_filter_needs_no_write() -> None:
    """Such changes have no image, as deletes; one that takes an item away needs a delete, also if more follow it."""
    outside = [change(1, put=False), change(2, put=False)]
    assert check(outside, take(), checkpoint(2), coalesce=False).violations == []
    history = [*outside, change(3), change(4, put=False), change(5, put=False)]
    found = check(history, take(), put(3), checkpoint(5), coalesce=False).violations
    assert [each.partition(",")[0] for each in found] == ["checkpoint: shard s was checkpointed at 5"] * 2
    for coalesce in (True, False):
        assert check(history, take(), put(3), delete(), checkpoint(5), coalesce=coalesce).violations == []
        assert check(history, take(), put(3), checkpoint(5), coalesce=coalesce).violations


def test_a_write_that_goes_back_is_noticed() -> None:
    """Two writes of one key in the wrong order, by one that has the shard."""
    (found,) = check(PUTS, take(), put(2), put(1)).violations
    assert "put 1 (sequence number 1) went back" in found


def test_a_replay_may_go_back() -> None:
    """After a take-over everything past the checkpoint is written again, and counted."""
    before = (take(), put(1), checkpoint(1), put(2), put(5))
    verdict = check(PUTS, *before, take(B), put(2, by=B), put(5, by=B), checkpoint(5, by=B))
    assert (verdict.violations, verdict.replays, verdict.takeovers, verdict.rewritten) == ([], 1, 1, 2)
    verdict = check(PUTS, *before, Ended(machine=A, status=-9), Started(machine=A), put(2), put(5), checkpoint(5))
    assert (verdict.violations, verdict.replays, verdict.takeovers) == ([], 1, 0)
    assert verdict.worst_gap_seconds == 2.0


def test_a_replay_goes_back_once_and_not_past_the_checkpoint() -> None:
    """Within a replay the order holds; what a checkpoint has passed is not written again."""
    (found,) = check(PUTS, take(), put(3), checkpoint(1), take(B), put(3, by=B), put(2, by=B)).violations
    assert "put 2 (sequence number 2) went back" in found
    (found,) = check(PUTS, take(), put(3), checkpoint(3), take(B), put(2, by=B)).violations
    assert "though the checkpoint had passed it (3)" in found


def test_the_replay_of_deletes_is_no_step_back() -> None:
    """A replayed delete is not taken for a later one, which would make the puts after it look old."""
    history = [change(1), change(2, put=False), change(3), change(4, put=False), change(5)]
    once = (put(1), delete(), put(3), delete(), put(5))
    again = [Applied(machine=B, key="k", number=entry.number, digest=entry.digest) for entry in once]
    assert check(history, take(), *once, take(B), *again, checkpoint(5, by=B)).violations == []


def test_a_machine_that_lost_the_shard_may_not_write_over_newer() -> None:
    """The holder is further: what the other still writes is older than what stands there."""
    (found,) = check(PUTS, take(), put(1), take(B), put(1, by=B), put(5, by=B), put(3)).violations
    assert "put 3 (sequence number 3) was written over a newer change of b" in found
    assert check(PUTS, take(), put(1), take(B), put(3), put(1, by=B), put(5, by=B)).violations == []


def test_what_the_holder_wrote_before_it_lost_the_shard_is_no_measure() -> None:
    """A replay under way, when the shard goes back to who had come further before, may go on to the end of its term."""
    journal = (take(B), put(1, by=B), put(5, by=B), take(), put(1), put(2), take(B))
    assert check(PUTS, *journal, put(3), put(5, by=B)).violations == []
    (found,) = check(PUTS, *journal, put(5, by=B), put(3)).violations
    assert "put 3 (sequence number 3) was written over a newer change of b" in found


def test_a_shard_lost_and_retaken_by_one_machine_is_replayed_when_its_old_batch_is_done() -> None:
    """The take comes before the old child's last writes, the replay after them."""
    assert check(PUTS, take(), put(1), put(2), take(), put(5), put(2), put(5)).violations == []
    (found,) = check(PUTS, take(), put(1), put(2), take(), put(5), put(2), put(5), put(4)).violations
    assert "put 4" in found


def test_a_moot_write_settles_its_change() -> None:
    """The destination said that it has a later one; nothing was written, so nothing went back."""
    moot = Applied(machine=B, key="k", number=2, digest="image 2", moot=True)
    verdict = check(PUTS, take(), put(3), take(B), moot, checkpoint(2, by=B))
    assert (verdict.violations, verdict.moot, verdict.writes) == ([], 1, 1)


def test_a_fenced_write_may_ask_the_source_itself() -> None:
    """A newer image, or a delete, under an older change's number is that change's; a number of no change is noticed."""
    newer = Applied(machine=A, key="k", number=5, digest="image 5", fence=2)
    gone = Applied(machine=A, key="k", number=None, digest=None, fence=6)
    assert check(PUTS, take(), newer, put(3), put(5), gone, checkpoint(6)).violations == []
    older = Applied(machine=A, key="k", number=2, digest="image 2", fence=5)
    nobody_s = Applied(machine=A, key="k", number=5, digest="image 5", fence=77)
    assert [found[:6] for found in check(PUTS, take(), older, nobody_s).violations] == ["fence:", "fence:"]


def test_a_delete_after_one_that_was_moot_asks_for_nothing() -> None:
    """The first found no item, and the source's own, a later one, was written; the second was of what was not seen."""
    history = [change(1), change(2, put=False), change(3, put=False), change(4)]
    moot = Applied(machine=A, key="k", number=None, digest=None, fence=2, moot=True)
    later = Applied(machine=A, key="k", number=4, digest="image 4", fence=2)
    assert check(history, take(), put(1), moot, later, checkpoint(3), coalesce=False).violations == []
    assert check(history, take(), put(1), checkpoint(3), coalesce=False).violations != []


def test_what_the_source_never_held_is_noticed() -> None:
    """An image that is another's, a number that is nobody's, a delete of what was never deleted."""
    wrong = Applied(machine=A, key="k", number=2, digest="image 3")
    verdict = check(PUTS, take(), wrong, put(77), delete(), delete("unheard of"))
    assert [found[:6] for found in verdict.violations] == ["image:"] * 4


def test_the_end_is_compared_key_by_key() -> None:
    """Older, missing and left-over items are named; a refused last change leaves what was there before."""
    history = [change(1), change(2), change(3, "gone"), change(4, "gone", put=False), change(5, "r"), change(6, "r")]
    history[5] = change(6, "r", refused=True)
    checker = Checker(history)
    checker.check_end({"k": "image 2", "r": "image 6"}, {"k": "image 1", "gone": "image 3", "r": "image 5"})
    assert checker.verdict.violations == [
        "end: key gone is put 3 (sequence number 3), at the source absent",
        "end: key k is put 1 (sequence number 1), at the source put 2 (sequence number 2)",
    ]


def test_dead_letters_are_real_refused_changes_and_settle_them() -> None:
    """A letter of nothing, of another image or of a change that is not refused is noticed, and so is a missing one."""
    history = [change(1, refused=True), change(2, "other"), change(3, "lost", refused=True)]
    letters = [
        Letter(sequence=1, key="k", digest="image 1", at=1.5),
        Letter(sequence=1, key="k", digest="changed", at=1.5),
        Letter(sequence=2, key="other", digest="image 2", at=1.5),
        Letter(sequence=9, key="k", digest=None, at=1.5),
    ]
    checker = Checker(history, letters)
    checker.check_letters()
    assert [found.rpartition(" is ")[2] for found in checker.verdict.violations] == [
        "no such change",
        "not refused",
        "no such change",
        "refused, and not among them",
    ]
    verdict = check(history[:2], take(), put(2, "other"), checkpoint(2), letters=letters)
    assert verdict.violations == []
    (found,) = check(history[:1], checkpoint(1), take(), letters=letters).violations
    assert "refused put 1" in found
