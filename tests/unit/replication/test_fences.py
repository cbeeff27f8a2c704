"""The numbers that a destination's items carry, as commands read them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec
import pytest

from processor.dynamodb.keys import identity_of, key_reader
from processor.replication.fences import NO_NUMBER, Fences

FENCE = "_fence"


def raw(content: object) -> msgspec.Raw:
    """As JSON."""
    return msgspec.Raw(msgspec.json.encode(content))


KEYS = [raw({"id": {"S": name}}) for name in "abc"]
ITEMS = [
    raw({"id": {"S": "a"}, FENCE: {"S": "0007"}}),
    raw({"id": {"S": "b"}, FENCE: {"S": "no number"}}),
]


class Table:
    """Has two items; ``lies`` are what its first answers lack."""

    def __init__(self, *lies: int) -> None:
        self.asked: list[int] = []
        self._lies = deque(lies)

    def get_many(self, keys: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
        """As ``ReadableTable``'s."""
        self.asked.append(len(keys))
        wanted = {identity_of(key) for key in keys}
        found = [item for item in ITEMS if identity_of(key_reader(["id"])(item)) in wanted]
        return found[self._lies.popleft() :] if self._lies else found

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """As ``ReadableTable``'s."""
        return next(iter(self.get_many([key])), None)


@pytest.mark.parametrize("lies", [(), (1,), (2,)], ids=["no lie", "one is left out", "all are"])
def test_one_answer_that_lacks_an_item_is_not_believed(lies: tuple[int, ...]) -> None:
    """A write that carries no number, where there is one, would be passed over."""
    table = Table(*lies)
    fences = Fences(table, FENCE, key_reader(["id"]))  # type: ignore[arg-type]
    numbers = fences.of_many(KEYS)
    assert {identity_of(KEYS[0]): "0007", identity_of(KEYS[1]): NO_NUMBER} == numbers
    assert table.asked == [3, 1 + sum(lies)]
    assert Fences(Table(*lies), FENCE, key_reader(["id"])).of(KEYS[0]) == "0007"  # type: ignore[arg-type]
    assert fences.of(KEYS[2]) == NO_NUMBER


def test_no_question_is_asked_twice_where_all_are_there() -> None:
    """What an item costs stays what it was."""
    table = Table()
    Fences(table, FENCE, key_reader(["id"])).of_many(KEYS[:2])  # type: ignore[arg-type]
    assert table.asked == [2, 0]
