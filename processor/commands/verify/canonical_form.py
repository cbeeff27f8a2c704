"""The canonical form in which items of two tables are compared, without what is ignored. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from processor.dynamodb import item_paths
from processor.dynamodb.items import encoded, normalized
from processor.errors import MalformedItemError
from processor.flow import shapes
from processor.settings.attribute_paths import Path

_HASH_BYTES = 8
_attributes_decoder = shapes.decoder(dict[str, msgspec.Raw])


class Digest(NamedTuple):
    """``place`` is a hash of the key, with 32 bits; ``hash`` is the item's, with 64."""

    place: int
    hash: int


class CanonicalForm:
    """How the items of one pair of tables are compared.

    :param key_names: the key's attributes
    :param ignored: paths that are not compared; none of them is in the key
    :param salt: up to 16 random bytes, so that nobody can make different items with equal digests
    """

    def __init__(self, key_names: Sequence[str], *, ignored: Iterable[Path] = (), salt: bytes = b"") -> None:
        self.ignored = item_paths.in_order(list(ignored))
        self.key_names = key_names
        self._salt = salt
        self._ignored_names = [str(path[0]) for path in self.ignored if len(path) == 1]

    def digest(self, item: msgspec.Raw) -> Digest:
        """A digest that is equal for equal items.

        :raises ValueError: it is not DynamoDB JSON, or lacks its key
        """
        attributes = normalized(item)
        place = self._place_of(attributes)
        item_paths.remove(attributes, self.ignored)
        return Digest(place, self._hash(encoded(attributes)))

    def ordered(self, item: msgspec.Raw) -> bytes:
        """The attributes that are compared, by their names; values are as they came, whatever is ignored in them.

        At a fifth of a digest's cost. Items that are unlike here may still be the same.

        :raises MalformedItemError: it is not a JSON object
        """
        try:
            attributes = _attributes_decoder.decode(item)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
            raise MalformedItemError(f"an item that is no DynamoDB JSON ({type(exc).__name__})") from exc
        for name in self._ignored_names:
            attributes.pop(name, None)
        return encoded(attributes)

    def place(self, item: msgspec.Raw) -> int:
        """The place alone, from an item or its key."""
        return self._place_of(normalized(item))

    def hash(self, item: msgspec.Raw | None) -> int | None:
        """The item's hash, or None for no item."""
        return None if item is None else self._hash(self._canonical(item))

    def same(self, one: msgspec.Raw | None, other: msgspec.Raw | None) -> bool:
        """Whether both are the same item in what is compared, or both None.

        :raises ValueError: one of them is not DynamoDB JSON
        """
        if one is None or other is None:
            return one is other
        return bytes(one) == bytes(other) or self._canonical(one) == self._canonical(other)

    def _canonical(self, item: msgspec.Raw) -> bytes:
        attributes = normalized(item)
        item_paths.remove(attributes, self.ignored)
        return encoded(attributes)

    def _hash(self, canonical: bytes) -> int:
        return int.from_bytes(blake2b(canonical, digest_size=_HASH_BYTES, salt=self._salt).digest(), "little")

    def _place_of(self, attributes: dict[str, Any]) -> int:
        try:
            return zlib.crc32(msgspec.json.encode([attributes[name] for name in self.key_names]))
        except KeyError as exc:
            message = f"an item without the key {', '.join(self.key_names)}"
            raise ValueError(message) from exc
