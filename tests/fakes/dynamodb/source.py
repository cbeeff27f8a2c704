"""Strongly consistent reads, in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping

import msgspec

from processor.dynamodb.item_view import UNSEEN
from processor.dynamodb.keys import identity_of


class FakeSource:
    """Satisfies ``processor.replication.reconcile.Source``.

    :param items: images by their keys' identities; looked at anew at each read
    :param answers: what the first reads return instead
    :param before: called with a key's identity before it is read; what it raises, ``get`` raises
    """

    def __init__(
        self,
        items: Mapping[bytes, msgspec.Raw | bytes | None],
        *,
        answers: Iterable[msgspec.Raw | None] = (),
        before: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self.name = "original"
        self.reads: list[bytes] = []
        self._items = items
        self._answers = deque(answers)
        self._before = before

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """The item of that key."""
        identity = identity_of(key)
        self.reads.append(identity)
        self._before(identity)
        if self._answers:
            return self._answers.popleft()
        found = self._items.get(identity)
        if found is None:
            return None
        return UNSEEN if bytes(found) == bytes(UNSEEN) else msgspec.Raw(bytes(found))
