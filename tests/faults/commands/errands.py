"""The commands with what each is given to do, and what must be true of its end, whatever went wrong on the way."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from processor.dynamodb.keys import identity_of
from processor.replication.change import SEQUENCE_NUMBER_DIGITS
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.stamp import new_stamp
from tests.fakes.dynamodb.attribute_values import parsed
from tests.fakes.streams.stream_record import Item
from tests.faults.commands.desk import Desk, End

_COUNT = 60
_KEYS = [f"key-{number:02}" for number in range(_COUNT)]
_MISSING, _EXTRA, _DIFFERENT = ("key-20", "key-50"), "key-99", "key-30"
_LETTERS = 8
# Two pages of a scan, which ends a page at 1 MB.
_PADDING = "x" * 20_000


def _items() -> dict[str, Item]:
    return {key: {"id": {"S": key}, "n": {"N": str(n)}, "pad": {"S": _PADDING}} for n, key in enumerate(_KEYS)}


@dataclass(frozen=True, kw_only=True)
class Errand:
    """A command, its options and settings. ``status`` is what it ends with where nothing goes wrong.

    :ivar name: of this errand among all
    :ivar is_variant: it waits as another one does, so it meets nothing that lasts
    """

    name: str
    command: str
    options: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    status: int = 0
    is_variant: bool = False

    def prepare(self, desk: Desk) -> None:
        """Put there what it works on."""
        desk.put(desk.source_table, _items())

    def settings_of(self, desk: Desk) -> dict[str, str]:
        """What its task has more than any."""
        del desk
        return dict(self.settings)

    def start(self, desk: Desk) -> subprocess.Popen[str]:
        """Start the command."""
        return desk.start(self.command, self.options, **self.settings_of(desk))

    def wrongs(self, desk: Desk, end: End, *, again: bool) -> Iterator[str]:
        """What is not true although it must be.

        :param again: it is the run after one that could not be finished
        """
        raise NotImplementedError


class Copy(Errand):
    """A whole table, to an empty one."""

    def wrongs(self, desk: Desk, end: End, *, again: bool) -> Iterator[str]:
        """0 says that all is there."""
        del again
        found = _plain(desk.destination())
        if end.status == 0 and found != _items():
            lacking = sum(found.get(key) != item for key, item in _items().items())
            yield f"0, but {lacking} items are not there as they are at the source"
        if desk.source() != _items():
            yield "the source was written to"


class CopyOver(Copy):
    """The same to a table of older items, as a replication has written them; a two-way one begins with it."""

    def prepare(self, desk: Desk) -> None:
        """As an archive's source needs it, TTL is on."""
        super().prepare(desk)
        older = {key: {**item, "n": {"N": "-1"}} for key, item in _items().items()}
        desk.put(desk.destination_table, older if "twoWay" in self.settings else _written(older, self))
        on: Any = {"Enabled": True, "AttributeName": "ttl"}
        desk.local.update_time_to_live(TableName=desk.source_table, TimeToLiveSpecification=on)


def _other() -> dict[str, Item]:
    """The destination of a comparison: a difference of each kind."""
    other = {key: item for key, item in _items().items() if key not in _MISSING}
    other[_DIFFERENT]["n"] = {"N": "0"}
    other[_EXTRA] = {"id": {"S": _EXTRA}}
    return other


class Verify(Errand):
    """Two tables that differ."""

    def prepare(self, desk: Desk) -> None:
        """A difference of each kind."""
        super().prepare(desk)
        desk.put(desk.destination_table, _written(_other(), self))

    def wrongs(self, desk: Desk, end: End, *, again: bool) -> Iterator[str]:
        """It never says that they are equal; what it counts is so; it writes nothing."""
        del again
        counts = [end.report.get(name) for name in ("missing", "extra", "different", "equal")]
        if end.status == 0:
            yield "0, but they differ"
        if end.status == 1 and end.report.get("complete") and counts != [2, 1, 1, 57]:
            yield f"missing, extra, different, equal are {counts}"
        if (desk.source(), _plain(desk.destination())) != (_items(), _other()):
            yield "it has written"


class VerifyEqual(Errand):
    """Two tables that are equal."""

    def prepare(self, desk: Desk) -> None:
        """The same in both."""
        super().prepare(desk)
        desk.put(desk.destination_table, _items())

    def wrongs(self, desk: Desk, end: End, *, again: bool) -> Iterator[str]:
        """It never finds a difference; it writes nothing."""
        del again
        if end.status == 1:
            yield f"1, but they are equal: {end.report.get('keys')}"
        if end.status == 0 and end.report["equal"] != _COUNT:
            yield f"equal is {end.report['equal']}"
        if (desk.source(), desk.destination()) != (_items(), _items()):
            yield "it has written"


class Repair(Verify):
    """The same two tables, to be made equal."""

    def wrongs(self, desk: Desk, end: End, *, again: bool) -> Iterator[str]:
        """0 says that they are; nothing that the source has is ever deleted."""
        del again
        found = _plain(desk.destination())
        if end.status in (0, 1) and found != _items():
            yield f"{end.status}, but they are not equal"
        if end.status == 1:
            yield "1, but nothing changes them"
        gone = sorted(set(_KEYS) - found.keys() - set(_MISSING))
        if gone:
            yield f"deleted, though the source has them: {gone}"
        if desk.source() != _items():
            yield "the source was written to"


class Redrive(Errand):
    """Eight dead letters: changes, deletes, and keys that are equal already."""

    def settings_of(self, desk: Desk) -> dict[str, str]:
        """Where they are."""
        return {**self.settings, "onError": "deadLetter", "deadLetterUri": desk.letters_uri}

    def prepare(self, desk: Desk) -> None:
        """Of the keys 0 to 7, two differ, one is missing, two are deleted, two are equal, one is in neither table."""
        old = {str(number): {"id": {"S": str(number)}, "v": {"N": "1"}} for number in range(6)}
        new = {number: {"id": {"S": number}, "v": {"N": "2"}} for number in ("0", "1", "6")}
        desk.put(desk.destination_table, _written(old, self))
        desk.put(desk.source_table, {key: item for key, item in {**old, **new}.items() if key not in ("2", "3")})
        for number in range(_LETTERS):
            desk.put_letter(str(number), number + 1)

    def wrongs(self, desk: Desk, end: End, *, again: bool) -> Iterator[str]:
        """No letter goes before its key is equal; 0 says that all have gone."""
        kept, ours, theirs = desk.letters(), desk.source(), _plain(desk.destination())
        gone = {str(number) for number in range(_LETTERS)} - kept
        lost = sorted(key for key in gone if ours.get(key) != theirs.get(key))
        if lost:
            yield f"the letters of {lost} have gone, and the keys differ"
        if end.status == 0 and kept:
            yield f"0, but {len(kept)} letters are there"
        if end.status == 0 and not again and end.report["keys"] != _LETTERS:
            yield f"keys is {end.report['keys']}"
        if end.status == 1 and not end.report["failing"] and not end.report["unreadable"]:
            yield "1, but nothing is said to fail"


class RedriveDry(Redrive):
    """What would become of them."""

    def wrongs(self, desk: Desk, end: End, *, again: bool) -> Iterator[str]:
        """What it foresees is so; it does nothing."""
        del again
        if len(desk.letters()) != _LETTERS:
            yield "letters have gone"
        found = [end.report.get(name) for name in ("keys", "applied", "moot", "failing")]
        if end.status == 0 and found != [_LETTERS, 5, 3, 0]:
            yield f"keys, applied, moot, failing are {found}"


class Unmark(Errand):
    """A destination of which some items bear the marker of a two-way task."""

    _MARKED = 12

    def prepare(self, desk: Desk) -> None:
        """They were written by a two-way replication."""
        super().prepare(desk)
        desk.put(desk.destination_table, _items())
        some = {key: item for key, item in _items().items() if key in _KEYS[: self._MARKED]}
        desk.put(desk.destination_table, {key: _marked(key, item) for key, item in some.items()})

    def wrongs(self, desk: Desk, end: End, *, again: bool) -> Iterator[str]:
        """0 says that no marker is left; nothing else changes."""
        del again
        found = desk.destination()
        marked = [key for key, item in found.items() if MARKER in item]
        if end.status == 0 and marked:
            yield f"0, but {len(marked)} markers are there"
        if _plain(found) != _items():
            yield "an item has changed"


class Check(Errand):
    """A task that may start."""

    def wrongs(self, desk: Desk, end: End, *, again: bool) -> Iterator[str]:
        """It writes nothing."""
        del again, end
        if desk.source() != _items() or desk.destination():
            yield "it has written"


class CheckRefused(Check):
    """A task whose stream has no images."""

    def prepare(self, desk: Desk) -> None:
        """It has keys alone."""
        super().prepare(desk)
        for specification in ({"StreamEnabled": False}, {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}):
            given: Any = specification
            desk.local.update_table(TableName=desk.source_table, StreamSpecification=given)

    def wrongs(self, desk: Desk, end: End, *, again: bool) -> Iterator[str]:
        """It never says that the task is ready."""
        yield from super().wrongs(desk, end, again=again)
        if end.status == 0:
            yield "0, but the stream has no images"


MARKER, FENCE = "_replication", "_replicatedSequenceNumber"
_BESIDE = ("--concurrent",)
_FENCED = {"writeMode": "fenced"}
_ARCHIVE = {"ttlDeletes": "ignore"}
_TWO_WAY = {"twoWay": "true", "conflictUri": "file:///tmp/conflicts.jsonl"}
_QUICK = ("--recheck", "1")
_REPAIR = (*_QUICK, "--repair", "--deleteExtra")
ERRANDS = (
    Copy(name="copy", command="copy"),
    Copy(name="copy beside a replication", command="copy", options=_BESIDE, is_variant=True),
    CopyOver(name="copy fenced", command="copy", options=_BESIDE, settings=_FENCED, is_variant=True),
    CopyOver(name="copy to an archive", command="copy", options=_BESIDE, settings=_ARCHIVE, is_variant=True),
    CopyOver(name="copy two-way", command="copy", options=_BESIDE, settings=_TWO_WAY, is_variant=True),
    Verify(name="verify", command="verify", options=_QUICK, status=1),
    VerifyEqual(name="verify equal tables", command="verify", options=_QUICK, is_variant=True),
    Verify(name="verify shared", command="verify", options=(*_QUICK, "--shared"), status=1),
    Repair(name="repair", command="verify", options=_REPAIR),
    Repair(name="repair fenced", command="verify", options=_REPAIR, settings=_FENCED, is_variant=True),
    Repair(name="repair two-way", command="verify", options=_REPAIR, settings=_TWO_WAY, is_variant=True),
    Redrive(name="redrive", command="redrive"),
    Redrive(name="redrive fenced", command="redrive", settings=_FENCED, is_variant=True),
    RedriveDry(name="redrive dry", command="redrive", options=("--dryRun",), is_variant=True),
    Unmark(name="unmark", command="unmark"),
    Check(name="check", command="check"),
    CheckRefused(name="check what is refused", command="check", status=22, is_variant=True),
)


def _marked(key: str, item: Item) -> Item:
    identity = identity_of(msgspec.Raw(msgspec.json.encode({"id": {"S": key}})))
    raw = msgspec.Raw(msgspec.json.encode(item))
    made = Markers(MARKER).put(raw, identity, sequence_number=1, stamp=new_stamp())
    return parsed(msgspec.json.decode(made))


def _written(items: Mapping[str, Item], errand: Errand) -> dict[str, Item]:
    """Items as the errand's task has written them."""
    if errand.settings.get("twoWay") == "true":
        return {key: _marked(key, item) for key, item in items.items()}
    if errand.settings.get("writeMode") == "fenced":
        number = {"S": "7".zfill(SEQUENCE_NUMBER_DIGITS)}
        return {key: {**item, FENCE: number} for key, item in items.items()}
    return dict(items)


def _plain(items: Mapping[str, Item]) -> dict[str, Item]:
    """Items without what replication adds."""
    own = (MARKER, FENCE)
    return {key: {name: value for name, value in item.items() if name not in own} for key, item in items.items()}
