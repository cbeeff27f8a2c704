"""Which parts of two tables hold the same items, by themselves."""

from __future__ import annotations

from collections.abc import Sequence

from processor.commands.verify.digests import Digests, Role
from processor.commands.verify.part import Part, Stretch
from processor.commands.verify.settled import PartCounts, Settled, SettledParts

BOTH: dict[Role, str | None] = {"source": None, "destination": None}


def _stretch(
    number: int, source: Sequence[int] = (), destination: Sequence[int] = (), *, left: bool = False, keys: int = 0
) -> Stretch:
    digests = Digests()
    digests.add("source", [(each, each) for each in source])
    digests.add("destination", [(each, each) for each in destination])
    places, hashes = digests.packed()
    return Stretch(
        rest=Part(number=number, total=4, left=BOTH if left else {}),
        places=places,
        hashes=hashes,
        scanned={"source": 10, "destination": 20},
        expired={"source": 1, "destination": 2},
        keys=["{}"] * keys,
    )


def test_a_part_is_settled_at_its_end() -> None:
    """If both tables gave the same items over all of its stretches, in whatever order."""
    parts = SettledParts(4)
    assert not parts.add(_stretch(2, source=[7, 8], left=True))
    assert parts.left == [0, 1, 2, 3]
    assert parts.add(_stretch(2, destination=[8, 7]))
    assert (parts.settled.numbers, parts.left) == ({2}, [0, 1, 3])
    assert parts.settled.counts == PartCounts(
        source_items=20, destination_items=40, source_expired=2, destination_expired=4
    )


def test_a_part_that_differs_is_not() -> None:
    """An item more, fewer, or another one; nor one whose keys were looked up and seem to differ."""
    parts = SettledParts(4)
    assert not parts.add(_stretch(0, source=[7]))
    assert not parts.add(_stretch(1, destination=[7, 7]))
    assert not parts.add(_stretch(2, source=[7], destination=[9]))
    assert not parts.add(_stretch(3, source=[7], destination=[7], keys=1))
    assert parts.settled == Settled()


def test_what_was_settled_before_is_not_read_again() -> None:
    """And its items count."""
    parts = SettledParts(4, Settled(frozenset({0, 3}), PartCounts(source_items=5)))
    assert parts.left == [1, 2]
    assert parts.add(_stretch(1))
    assert parts.settled.counts.source_items == 15
