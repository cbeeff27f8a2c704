"""Compares parts of the two tables, in any process: reads pages, and says what was found, a stretch at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from processor.commands.verify.digests import Digests, Role
from processor.commands.verify.judge import Judge
from processor.commands.verify.matcher import Matcher
from processor.commands.verify.part import RAW, Part, Stretch
from processor.commands.verify.recheck import identified
from processor.commands.verify.report import Found
from processor.commands.verify.sides import Sides
from processor.commands.verify.table_side import TableSide
from processor.commands.verify.task import VerifyTask
from processor.dynamodb.item_view import UNSEEN
from processor.dynamodb.scanner import Segment
from processor.errors import StoppedError

# Of both tables: after so many, what still waits for its equal gets a digest, and the stretch is told.
_PAGES_PER_STRETCH = 4

Tell = Callable[[Stretch], None]


@dataclass(slots=True)
class _Tally:
    """What a judge says of some keys; implements ``judge.Counts``."""

    equal_keys: int = 0
    named: list[str] = field(default_factory=list)

    def equal(self, items: int) -> None:
        """Count keys that are equal."""
        self.equal_keys += items

    def found(self, results: list[Found]) -> None:
        """Keys that TTL excuses."""
        self.named += [msgspec.json.encode(each).decode() for each in results]


class VerifyWorker:
    """Any number of threads may share it.

    :param sides: this process's own
    """

    def __init__(self, task: VerifyTask, sides: Sides, stop: threading.Event) -> None:
        self._task = task
        self._form = task.form
        self._sides = sides
        self._stop = stop
        # The forms by which items may be paired, the cheapest first, and which of them was last of use.
        self.forms: Sequence[Callable[[msgspec.Raw], bytes]] = (bytes, task.form.ordered)
        self.useful_form = 0

    def do(self, part: Part, tell: Tell) -> None:
        """Compare a part.

        :param tell: called with each stretch; the last one leaves nothing of the part
        :raises StoppedError: the stop came first
        :raises ReplicatorError: a table can't be read
        """
        role = part.looked_up
        if role is None:
            _Sums(self._task, self, self._sides, part).run(tell)
            return
        side, other = self._sides[role], self._sides.other(role)
        start: str | None = part.left[role]
        while True:
            items, start = self.page(side, part, start)
            stretch = Stretch(rest=_left_of(part, {} if start is None else {role: start}))
            self._look(side, other, items, stretch)
            tell(stretch)
            if start is None:
                return

    def page(self, side: TableSide, part: Part, start: str | None) -> tuple[list[msgspec.Raw], str | None]:
        """The next items of a part, and where those after them begin."""
        if self._stop.is_set():
            raise StoppedError
        return side.page(Segment(part.number, part.total), start)

    def _look(self, side: TableSide, other: TableSide, items: list[msgspec.Raw], stretch: Stretch) -> None:
        """Note the keys of ``side`` whose items ``other`` lacks, or has with other values."""
        task = self._task
        if task.differing is None:
            stretch.scanned = {side.role: len(items)}
            stretch.expired = {side.role: sum(map(task.expiry.past(side.role), items))}
            self.compare(side, other, items, stretch)
            return
        past = task.then.past(side.role)
        due = []
        for item in items:
            is_past = past(item)
            if is_past and task.sums_live_only and side.role == "source":
                continue  # it was looked up, or the destination's scan finds what differs from it
            if self._form.place(side.key_of(item)) in task.differing:
                due.append(item)
            elif side.role == "source" and not is_past:
                stretch.equal += 1
        self.compare(side, other, due, stretch)

    def compare(self, side: TableSide, other: TableSide, items: Sequence[msgspec.Raw], stretch: Stretch) -> None:
        """Look items up in the other table."""
        keys = identified(side, items)
        by_identity = {identity: item for (identity, _), item in zip(keys, items, strict=True)}
        tally = _Tally()
        judge = Judge(self._form, tally, expiry=self._task.expiry, show_expired=self._task.shows_expired)
        for some in side.chunks(keys):
            # An item that only one answer lacks would be named by both scans.
            found = other.items_of(some) if side.role == "source" else other.items_insisted(some)
            for identity, key in some.items():
                mine, theirs = by_identity[identity], found.get(identity)
                if side.role == "source":
                    differs = judge.differs("source", key, mine, theirs)
                else:  # other items that both have were compared by the source's scan
                    differs = self._is_left(theirs) and judge.differs("destination", key, theirs, mine)
                if differs:
                    stretch.keys.append(bytes(key).decode(RAW))
        stretch.looked_up += len(items)
        stretch.equal += tally.equal_keys
        stretch.named += tally.named

    def _is_left(self, source: msgspec.Raw | None) -> bool:
        """Whether the source's scan has not compared a key of the destination's.

        :param source: the source's item of that key
        """
        if source is None or source is UNSEEN:
            return True
        return self._task.leaves_expired and self._task.then.past("source")(source)


class _Sums:
    """Both tables' items of one part: those that the other has byte by byte are passed over, the others get digests."""

    def __init__(self, task: VerifyTask, worker: VerifyWorker, sides: Sides, part: Part) -> None:
        self._task = task
        self._worker = worker
        self._sides = sides
        self._part = part
        self._left = dict(part.left)
        # Items that the matcher was given of each table, until its form is found to be of use.
        self._given: dict[Role, int] | None = {}
        self._last: Role = "destination"
        self._tried = worker.useful_form
        self._matcher: Matcher | None = Matcher(worker.forms[self._tried])
        self._begin()

    def run(self, tell: Tell) -> None:
        """Read all that is left; see ``VerifyWorker.do``."""
        pages = 0
        while self._left:
            self._next_page()
            pages += 1
            waits = self._matcher is not None and self._matcher.waiting
            if self._left and waits and pages < _PAGES_PER_STRETCH:
                continue
            pages = 0
            self._flush()
            stretch = self._stretch
            stretch.places, stretch.hashes = self._digests.packed()
            stretch.rest = _left_of(self._part, self._left)
            self._begin()
            tell(stretch)

    def _begin(self) -> None:
        self._digests = Digests()
        self._stretch = Stretch(rest=self._part)

    def _next_page(self) -> None:
        role = self._wanted()
        items, start = self._worker.page(self._sides[role], self._part, self._left[role])
        if start is None:
            del self._left[role]
        else:
            self._left[role] = start
        self._last = role
        past = self._task.then.past(role)
        live = [item for item in items if not past(item)] if past.attribute else items
        expired = [item for item in items if past(item)] if len(live) < len(items) else []
        stretch = self._stretch
        stretch.scanned[role] = stretch.scanned.get(role, 0) + len(items)
        stretch.expired[role] = stretch.expired.get(role, 0) + len(expired)
        if not self._task.sums_live_only:
            self._add({role: expired})
        if self._task.looks_up_expired and role == "source" and expired:
            self._worker.compare(self._sides["source"], self._sides["destination"], expired, stretch)
        if self._matcher is None:
            self._add({role: live})
            return
        self._add(self._matcher.add(role, live))
        if self._given is not None:
            self._given[role] = self._given.get(role, 0) + len(live)
            if len(self._given) == len(self._sides):
                self._judge_form(self._matcher, min(self._given.values()))

    def _judge_form(self, matcher: Matcher, most: int) -> None:
        """Both tables have given a page: if few of their items were alike, the next form is tried.

        :param most: as many as may have been alike
        """
        if not most:
            return
        is_last = self._tried == len(self._worker.forms) - 1
        if matcher.matched * 2 >= most or (is_last and matcher.matched):
            self._worker.useful_form, self._given = self._tried, None
            return
        waiting = matcher.flush()
        if is_last:
            self._matcher = None
            self._add(waiting)
            return
        self._tried += 1
        self._given = {role: len(items) for role, items in waiting.items()}
        self._matcher = Matcher(self._worker.forms[self._tried])
        for role, items in waiting.items():
            self._add(self._matcher.add(role, items))
        self._judge_form(self._matcher, min(self._given.values()))

    def _wanted(self) -> Role:
        """The table whose next page is to be read."""
        role: Role = "source" if self._last == "destination" else "destination"
        if self._matcher is not None:
            role = self._matcher.behind()
        return role if role in self._left else next(iter(self._left))

    def _flush(self) -> None:
        if self._matcher is not None:
            self._add(self._matcher.flush())

    def _add(self, found: dict[Role, list[msgspec.Raw]]) -> None:
        for role, items in found.items():
            self._digests.add(role, map(self._task.form.digest, items))


def _left_of(part: Part, left: dict[Role, str | None] | dict[Role, str]) -> Part:
    return msgspec.structs.replace(part, left=dict(left))
