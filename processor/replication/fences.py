"""Reads the sequence numbers that the destination's items carry in ``writeMode=fenced``, for commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from processor.dynamodb.absence import each_insisted, insisted
from processor.dynamodb.keys import identity_of
from processor.dynamodb.reader import ReadableTable
from processor.flow import shapes

# Older than any change's: an item without a number may always be written over.
NO_NUMBER = "0"

_decoder = shapes.decoder(dict[str, msgspec.Raw])
_text_decoder = shapes.decoder(dict[str, str])


class Fences:
    """The sequence numbers in one table.

    A command writes the source's item with the number that it read here. The fence lets the write through only if no
    newer change of that key was written in between. Two answers must say that there is no item: a write that carried
    ``NO_NUMBER`` for one that has a number would be passed over, as if what is there were newer.

    :param table: the destination, read with everything that its items have
    :param key_of: an item's key, see ``keys.py``
    """

    def __init__(self, table: ReadableTable, attribute: str, key_of: Callable[[msgspec.Raw], msgspec.Raw]) -> None:
        self._table = table
        self._attribute = attribute
        self._key_of = key_of

    def of(self, key: msgspec.Raw) -> str:
        """Read the number of one key's item; ``NO_NUMBER`` if the item has none, or there is no item.

        :raises UnavailableError: the destination can't be read now
        """
        item = insisted(lambda: self._table.get(key))
        return NO_NUMBER if item is None else self._number(item)

    def of_many(self, keys: Sequence[msgspec.Raw]) -> dict[bytes, str]:
        """Read the numbers of many keys' items, by ``Change.identity``; keys without an item are left out.

        :raises UnavailableError: the destination can't be read now
        """
        return each_insisted(self._numbers, {identity_of(key): key for key in keys})

    def _numbers(self, keys: Mapping[bytes, msgspec.Raw]) -> dict[bytes, str]:
        found = self._table.get_many(list(keys.values()))
        return {identity_of(self._key_of(item)): self._number(item) for item in found}

    def _number(self, item: msgspec.Raw) -> str:
        value = _decoder.decode(item).get(self._attribute)
        if value is None:
            return NO_NUMBER
        try:
            number = _text_decoder.decode(value).get("S", "")
        except msgspec.ValidationError:
            number = ""
        return number if number.isdecimal() else NO_NUMBER
