"""Parts of a comparison, and who has which."""

from __future__ import annotations

import msgspec

from processor.commands.verify.part import Part, PartQueue


def _parts(count: int) -> list[Part]:
    return [Part(number=number, total=count, left={"source": None}) for number in range(count)]


def test_what_another_has_lost_is_done_from_its_last_stretch() -> None:
    """A part is somebody's until nothing is left of it, or its taker is lost."""
    queue = PartQueue(_parts(3))
    first, second = queue.next(1), queue.next(2)
    assert first is not None
    assert second is not None
    rest = msgspec.structs.replace(first, left={"source": "here"})
    queue.go_on(rest)
    queue.go_on(msgspec.structs.replace(second, left={}))
    third = queue.next(2)
    assert (third is not None, queue.next(2)) == (True, None)
    queue.give_back(1)
    assert queue.next(2) == rest
    assert not queue.is_done
    queue.give_back(2)
    found = [queue.next(3), queue.next(3)]
    assert {each.number for each in found if each is not None} == {0, 2}
    assert queue.next(3) is None
    for part in found:
        assert part is not None
        queue.go_on(msgspec.structs.replace(part, left={}))
    assert queue.is_done
