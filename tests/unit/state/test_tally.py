"""How far shared work is, by all who work on it."""

from __future__ import annotations

from processor.commands.copy.totals import Counts
from processor.errors import UnavailableError
from processor.state.copy_rows import SegmentState
from processor.state.sharing.tally import Tally


def _tally(*looks: list[SegmentState] | Exception | None) -> Tally[Counts]:
    left = list(looks)

    def look(processes: int) -> Counts | None:
        assert processes == 2
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return None if found is None else Counts.of(found)

    return Tally(Counts(items=10, size_bytes=100), look, none=Counts(), processes=2)


def test_what_others_have_done_is_added() -> None:
    """What the rows say, without what this machine says itself; never less than before, whatever was read when."""
    tally = _tally(
        None,
        UnavailableError("away", code="Timeout"),
        [SegmentState(number=0, items=40, size_bytes=400), SegmentState(number=1, expired=5)],
        [SegmentState(number=0, items=41, size_bytes=410)],
    )
    tally.own = Counts(items=20, size_bytes=200, write_units=20.0)
    for passed in (30, 30, 45, 45):
        tally.look()
        assert tally.counts.passed == passed
    tally.own += Counts(items=1)
    assert tally.counts.passed == 46
    assert (tally.counts.size_bytes, tally.own.write_units) == (400, 20.0)
