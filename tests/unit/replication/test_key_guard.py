"""The look at the destination's key when it refuses a change."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from processor.errors import KeySchemaError, RefusedError, ThrottledError, UnavailableError
from processor.replication.change import Change
from processor.replication.key_guard import LOOK_SECONDS, KeyGuard
from tests.fakes.dynamodb.changes import delete, put

ERROR = RefusedError("PutItem: refused", code="ValidationException")


class World:
    """A destination, and a clock that stands still."""

    def __init__(self) -> None:
        self.key: Mapping[str, str] | None = {"id": "S"}
        self.now = 0.0
        self.looks = 0
        self.guard = KeyGuard(self._look, table="copy", region="us-east-1", clock=lambda: self.now)

    def _look(self) -> Mapping[str, str]:
        self.looks += 1
        if self.key is None:
            raise ThrottledError("DescribeTable: no", code="ThrottlingException")
        return self.key


def test_the_sources_key_is_no_reason_to_stop() -> None:
    """Where the keys are alike, the change itself is at fault; many refusals in a row cost one look."""
    world = World()
    for number in range(10):
        world.guard.check(put(str(number)), ERROR)
    assert world.looks == 1


@pytest.mark.parametrize("key", [{"id": "N"}, {"no": "S"}, {"id": "S", "at": "N"}, {}])
@pytest.mark.parametrize("change", [put("a"), delete("a")])
def test_another_key_stops(key: dict[str, str], change: Change) -> None:
    """A key of other names or types is an error that has both, though it was the source's before."""
    world = World()
    world.guard.check(put("a"), ERROR)
    world.key = key
    world.now += LOOK_SECONDS
    with pytest.raises(KeySchemaError, match=r"table copy in us-east-1 is .*; the source's is id \(S\)") as caught:
        world.guard.check(change, ERROR)
    assert "PutItem: refused" in str(caught.value)
    assert caught.value.exit_status == 22


def test_a_look_that_fails_decides_nothing() -> None:
    """Without an answer the change is neither at fault nor not, and the next refusal looks again."""
    world = World()
    world.key = None
    for _ in range(2):
        with pytest.raises(UnavailableError):
            world.guard.check(put("a"), ERROR)
    assert world.looks == 2
