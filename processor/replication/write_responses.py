"""What the destination answers to a write: what it left undone, and what it took for the rest.

Pure. An answer that doesn't have DynamoDB's types is an error, not an empty answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from processor.aws.client_calls import Units
from processor.dynamodb.keys import key_identity
from processor.flow import shapes
from processor.replication.change import Change

_Item = dict[str, msgspec.Raw]


class _Put(msgspec.Struct, frozen=True, rename="pascal"):
    item: _Item


class _Delete(msgspec.Struct, frozen=True, rename="pascal"):
    key: _Item


class Undone(msgspec.Struct, frozen=True, rename="pascal"):
    """A request that came back."""

    put_request: _Put | None = None
    delete_request: _Delete | None = None


class Batch(msgspec.Struct, frozen=True, rename="pascal"):
    """BatchWriteItem's answer. DynamoDB always says what it left undone; an answer that doesn't say so is refused."""

    unprocessed_items: dict[str, list[Undone]]
    consumed_capacity: list[Units] | None = None

    @property
    def undone(self) -> list[Undone]:
        """The requests that came back, under whatever name the answer gives the table: there was only one."""
        return [request for requests in self.unprocessed_items.values() for request in requests]

    @property
    def units(self) -> float | None:
        """Write units; None where the answer does not say."""
        return sum(each.capacity_units or 0.0 for each in self.consumed_capacity) if self.consumed_capacity else None


class One(msgspec.Struct, frozen=True, rename="pascal"):
    """PutItem's and DeleteItem's answer."""

    consumed_capacity: Units | None = None

    @property
    def units(self) -> float | None:
        """Write units; None where the answer does not say."""
        return (self.consumed_capacity.capacity_units or 0.0) if self.consumed_capacity else None


class Exchanged(One, frozen=True, rename="pascal"):
    """The same, with the item that was there before; empty where there was none."""

    attributes: msgspec.Raw = msgspec.Raw(b"")


batch_decoder = shapes.decoder(Batch)
one_decoder = shapes.decoder(One)
exchanged_decoder = shapes.decoder(Exchanged)
_key_decoder = shapes.decoder(dict[str, str])


def matching(changes: Sequence[Change], undone: Sequence[Undone]) -> list[Change]:
    """The changes whose keys are among those that came back; all of them, where that can't be told."""
    names = changes[0].key_names
    by_identity = {change.identity: change for change in changes}
    try:
        return [by_identity[_identity(request, names)] for request in undone]
    except (ArithmeticError, LookupError, ValueError, msgspec.DecodeError):
        return list(changes)  # writing all of them again does no harm


def _identity(request: Undone, names: Sequence[str]) -> bytes:
    if request.put_request is not None:
        item = request.put_request.item
    elif request.delete_request is not None:
        item = request.delete_request.key
    else:
        raise LookupError
    return key_identity({name: _key_decoder.decode(item[name]) for name in names if name in item})
