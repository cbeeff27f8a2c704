"""What is said of a change that is never accepted."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from processor.errors import HeldError, RefusedError, StoppedByRefusalError
from processor.replication import on_error
from processor.replication.change import Fault
from processor.replication.key_guard import KeyGuard
from processor.reporting.logs import Log
from tests.fakes.dynamodb.changes import put
from tests.fakes.task.tasks import task

ERROR = RefusedError("transform raised ValueError at t.py:1, in view", code="TransformFailed")
FAULTY = msgspec.structs.replace(put("a", "secret"), image=None, fault=Fault(reason=str(ERROR), code=ERROR.code))


def _unasked() -> Mapping[str, str]:
    raise AssertionError("the destination was asked for its key")


GUARD = KeyGuard(_unasked, table="copy", region="us-east-1")


@pytest.mark.parametrize(("setting", "kind"), [("hold", HeldError), ("stop", StoppedByRefusalError)])
def test_a_change_of_which_nothing_can_be_made(setting: str, kind: type[Exception]) -> None:
    """It is not the destination's fault, so that is not asked; the message has the key, the reason and the remedy."""
    refused = on_error.holding(task(onError=setting), "shard-1", Log(), GUARD)
    with pytest.raises(kind) as raised:
        refused(FAULTY, ERROR)
    text = str(raised.value)
    for part in ('{"id":{"S":"a"}}', "raised ValueError at t.py:1", "Put the settings right and start again"):
        assert part in text
    assert "secret" not in text
    assert ("until the daemon is started again" in text) == (setting == "hold")
    assert "every minute" not in text
