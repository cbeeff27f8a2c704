"""Decides which items are past their TTL, and what that means when two tables are compared or made equal. Pure.

DynamoDB deletes an item within days of the date in its TTL attribute, in each table independently. So for days one of
two equal tables may have an item that the other has deleted already. The rule, for all commands that compare both
tables or write one from the other:

1. The source's item is past the source's TTL: it is never written to a destination that doesn't have it, because that
   could bring back a deleted item. The two differ only if the destination has an item of that key that is *not* past
   the date: then it missed the change that moved the date forward.
2. The source has no such item, and the destination's item is past the destination's own TTL: the destination deletes it
   by itself. If the destination has no TTL, nothing deletes it, so it is a difference like any other.

Replication itself applies what the stream says, whether an item is past its date or not.

Where a view of the items leaves the source's TTL attribute out, or changes its value, no item counts as past the
source's TTL: the destination can't delete it by itself, so it has it until the stream says that the source's is gone.

With ``ttlDeletes=ignore`` the destination keeps what TTL deletes at the source, and the rule is another one: an item
past its date counts as any other while the source has it. Where the source has none, and the destination's item is past
the date in the source's TTL attribute, TTL has deleted it: it is *kept*, however long ago that was. If the source has
no TTL now, it may have had one, so every item that only the destination has is kept. That the source has an item of
which the task's view makes nothing (``UNSEEN``) is another matter: nothing of it is at the destination.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from processor.dynamodb.item_view import UNSEEN
from processor.errors import MalformedItemError
from processor.flow import shapes

# DynamoDB never deletes an item whose date is more than five years past (developer guide, computing TTL): it takes such
# a number for a mistake. Leap days are left out, so that in doubt an item counts as one that stays.
OLDEST_SECONDS = 5 * 365 * 86400.0

# A field of a msgspec.Struct can't have a name with one of these characters, as in keys.py.
_UNUSUAL = re.compile(r'[\\"\x00-\x1f]')
_ABSENT = msgspec.Raw(b"null")


class _Number(msgspec.Struct, rename={"text": "N"}):
    text: str | None = None


_number_decoder = shapes.decoder(_Number)


class PastTtl:
    """Whether an item is past its table's TTL. Any number of threads may share it.

    :param attribute: the table's TTL attribute; None if TTL is off, so that no item is ever past it
    :param now: seconds since the epoch
    :param longest_seconds: for how long after its date
    """

    def __init__(
        self, attribute: str | None, now: Callable[[], float], *, longest_seconds: float = OLDEST_SECONDS
    ) -> None:
        self.attribute = attribute
        self._now = now
        self._longest_seconds = longest_seconds
        self._value_of = _reader(attribute) if attribute is not None else None

    def __call__(self, item: msgspec.Raw) -> bool:
        """Whether DynamoDB may delete the item at any moment.

        :param item: DynamoDB JSON
        :raises MalformedItemError: it is no DynamoDB JSON
        """
        if self._value_of is None:
            return False
        try:
            value = self._value_of(item)
        except (msgspec.DecodeError, RecursionError) as exc:
            raise MalformedItemError(f"an item that is no DynamoDB JSON ({type(exc).__name__})") from exc
        return 0 < self._now() - _seconds(value) <= self._longest_seconds

    def now(self) -> PastTtl:
        """A copy whose clock stands still at this moment, so that repeated checks of one item agree."""
        moment = self._now()
        return PastTtl(self.attribute, lambda: moment, longest_seconds=self._longest_seconds)

    def named(self, attribute: str) -> PastTtl:
        """The same in an attribute of another name."""
        if attribute == self.attribute:
            return self
        return PastTtl(attribute, self._now, longest_seconds=self._longest_seconds)


def _reader(attribute: str) -> Callable[[msgspec.Raw], msgspec.Raw]:
    """A function from an item to the value of an attribute."""
    if _UNUSUAL.search(attribute):
        attributes = shapes.decoder(dict[str, msgspec.Raw])
        return lambda item: attributes.decode(item).get(attribute, _ABSENT)
    # The other attributes are passed over.
    shape = msgspec.defstruct("Dated", [("value", msgspec.Raw, _ABSENT)], rename={"value": attribute})
    decoder: msgspec.json.Decoder[Any] = shapes.decoder(shape)
    return lambda item: decoder.decode(item).value


def _seconds(value: msgspec.Raw) -> float:
    """An attribute's number, or a date that never comes if the attribute has another type."""
    try:
        text = _number_decoder.decode(value).text
    except msgspec.DecodeError:
        return float("inf")
    return float("inf") if text is None else float(text)


NEVER = PastTtl(None, lambda: 0.0)


@dataclass(frozen=True, slots=True)
class Expiry:
    """The rule above, for one pair of tables.

    :ivar kept: whether an item that only the destination has is one that TTL has deleted at the source
    :ivar keeps_all: whether each of them may be
    """

    source: PastTtl = NEVER
    destination: PastTtl = NEVER
    kept: PastTtl = NEVER
    keeps_all: bool = False

    @property
    def is_archive(self) -> bool:
        """Whether the destination keeps what TTL deletes at the source."""
        return self.keeps_all or self.kept.attribute is not None

    def keeps(self, destination: msgspec.Raw) -> bool:
        """Whether an item that only the destination has stays there."""
        return self.keeps_all or self.kept(destination)

    def excuses(self, source: msgspec.Raw | None, destination: msgspec.Raw | None) -> bool:
        """Whether the rule excuses a difference between two items of one key; None stands for no item."""
        if source is UNSEEN:
            return False
        if source is None:
            return destination is not None and (self.destination(destination) or self.keeps(destination))
        return self.source(source) and (destination is None or self.source(destination))

    @property
    def is_alike(self) -> bool:
        """Whether both tables delete the same items, or one keeps them, so that they can be compared without those."""
        if self.kept.attribute is not None:
            return True
        return self.source.attribute is not None and self.source.attribute == self.destination.attribute

    def past(self, role: Literal["source", "destination"]) -> PastTtl:
        """Which of a table's items, as the destination would have them, are past their TTL."""
        if self.kept.attribute is not None:
            return self.kept
        return self.source if role == "source" else self.destination

    def now(self) -> Expiry:
        """A copy whose clock stands still at this moment."""
        return Expiry(self.source.now(), self.destination.now(), self.kept.now(), self.keeps_all)


NO_EXPIRY = Expiry()
KEEPS_ALL = Expiry(keeps_all=True)
