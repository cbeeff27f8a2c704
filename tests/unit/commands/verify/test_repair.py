"""What a repair says when it could not be finished."""

from __future__ import annotations

import threading

import msgspec
import pytest

from processor.commands.verify.canonical_form import CanonicalForm
from processor.commands.verify.judge import Judge
from processor.commands.verify.repair import Repair
from processor.commands.verify.report import Found, Results, VerifyReport
from processor.dynamodb.keys import identity_of
from processor.errors import ReplicatorError, StalledError, StoppedError, UnavailableError
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.reporting.logs import Log
from tests.fakes.dynamodb.source import FakeSource
from tests.fakes.dynamodb.table import FakeTable
from tests.fakes.policies import limit_commands

KEYS = [msgspec.Raw(b'{"id":{"S":"%b"}}' % name) for name in (b"a", b"b", b"c")]


@pytest.mark.parametrize("error", [StalledError, StoppedError])
@pytest.mark.parametrize("written", [True, False])
def test_all_keys_are_told_of_before_it_ends(
    error: type[ReplicatorError], monkeypatch: pytest.MonkeyPatch, *, written: bool
) -> None:
    """The key that was written and not looked at again is named as such, those never begun as what they are."""
    if error is StalledError:
        limit_commands(monkeypatch, outage_seconds=0.0)
    stop, table, reads = threading.Event(), FakeTable(), list[bytes]()

    def lose(identity: bytes) -> None:
        reads.append(identity)
        if reads.count(identity_of(KEYS[1])) == 1 + written:  # the first is before the write, the second after it
            if error is StoppedError:
                stop.set()
            raise UnavailableError("no answer", code="ReadTimeoutError")

    repair = Repair(
        source=FakeSource({identity_of(key): key for key in KEYS}, before=lose),
        destination=FakeSource(table.items),
        table=table,
        judge=Judge(CanonicalForm(["id"], ignored=[], salt=b""), Results(VerifyReport(), show=0)),
        retry=Retry(retry_policy.COMMAND, stop, Outage(Log(), "delayed", note="")),
        threads=1,
    )
    told: list[Found] = []
    with pytest.raises(error):
        repair([Found(outcome="missing", key=key) for key in KEYS], told.extend)
    repair.close()
    done = [(each.repair.done, each.repair.reason) for each in told if each.repair]
    assert [each for each, _ in done] == [True, False, False]
    reasons = [str(reason).partition(":")[0] for _, reason in done[1:]]
    unknown = "written, but not looked at again; it may hold an older image"
    assert reasons == [unknown if written else "not begun", "not begun"]
    assert len(table.items) == 1 + written
