"""A destination that does not take writes now: the batch is kept, and nothing is checkpointed until it does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Tables
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.streams.stream_record import insert
from tests.protocol.conftest import MODES, Start, item, items

FAULTS = {
    "throughput exceeded": faults.error("ProvisionedThroughputExceededException"),
    "throttled": faults.error("ThrottlingException"),
    "server error": faults.error("InternalServerError"),
    "table missing": faults.error("ResourceNotFoundException"),
    "unknown error": faults.error("SomethingOfTheFutureException"),
    "500 without a body": faults.empty(500),
    "503 without a body": faults.empty(503),
    "dropped before": faults.drop(),
    "dropped after": faults.drop(after=True),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("act", FAULTS.values(), ids=FAULTS)
def test_batch_is_kept(act: faults.Act, mode: str, start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """Tried again until it is done; no checkpoint meanwhile; said once, as a warning with the reason."""
    table = tables.create()
    daemon = start(table, writeMode=mode)
    expected = items(10)
    records = [insert(number, each) for number, each in enumerate(expected)]
    fault = proxy.inject(act)
    daemon.send_records(*records)
    fault.wait(30 if mode == "item" else 3)  # ten writes, side by side
    daemon.expect_silence()
    fault.clear()
    daemon.expect_checkpoint(records[-1].sequence_number)
    assert expected == tables.items(table)
    daemon.answer_checkpoint()
    daemon.expect_done("processRecords")
    delayed = daemon.log[1]  # the first says that it started
    said = daemon.events("writes_delayed")
    assert delayed == said[0]
    assert len(said) < fault.met / 2  # a machine may be so slow that it is said again
    assert daemon.log[1:] == [*said, *daemon.events("writes_delayed_over")]
    assert " WARNING " in delayed
    assert f"on table {table}" in delayed


def test_missing_table(start: Start, tables: Tables) -> None:
    """A table that is not there may come back: the batch waits for it."""
    table = tables.name()
    daemon = start(table)
    record = insert(1, item("k"))
    daemon.send_records(record)
    daemon.wait_for_event("writes_delayed")
    daemon.expect_silence()
    tables.create(name=table)
    daemon.expect_checkpoint(record.sequence_number)
    assert [item("k")] == tables.items(table)
    assert "ResourceNotFoundException" in daemon.events("writes_delayed")[0]


def test_unprocessed_items(start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """What a batch call leaves undone is written again, and nothing else of it, whatever the keys are."""
    table = tables.create("b:B", "n:N")
    daemon = start(table)
    expected = [
        {"b": {"B": letters}, "n": {"N": number}} for letters in ("AA==", "AAA=", "/w==") for number in "12345678"
    ]
    left = proxy.inject(faults.unprocessed(10), "BatchWriteItem", times=3)
    daemon.apply(*(insert(number, each, key_names="bn") for number, each in enumerate(expected)))
    left.wait(3)
    assert expected == sorted(tables.items(table), key=expected.index)
    assert sorted(map(str, expected)) == sorted(str(write.key) for write in proxy.writes)
    (delayed,) = daemon.events("writes_delayed")
    assert "UnprocessedItems" in delayed


def test_outage_is_said_once_and_its_end(start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """A destination that is away for a while: ever rarer warnings, one notice when it is back, and nothing lost."""
    table = tables.create()
    daemon = start(table)
    expected = items(60)
    records = [insert(number, each) for number, each in enumerate(expected)]
    with proxy.away():
        daemon.send_records(*records)
        daemon.wait_for_event("writes_delayed", 2)  # the second comes five seconds after the first
        daemon.expect_silence()
    daemon.expect_checkpoint(records[-1].sequence_number)
    daemon.answer_checkpoint()
    daemon.expect_done("processRecords")
    assert expected == tables.items(table)
    (over,) = daemon.events("writes_delayed_over")
    assert " NOTICE " in over
    failures = daemon.events("writes_delayed")[-1].partition("failures=")[2].partition(" ")[0]
    assert int(failures) > 1


def test_expired_credentials(start: Start, tables: Tables, proxy: FaultProxy, tmp_path: Path) -> None:
    """Credentials that expire are looked up anew, without a restart, for as long as it takes."""
    file = tmp_path / "credentials"

    def rotate(key: str) -> None:
        new = tmp_path / "new"
        new.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = secret\n")
        new.rename(file)

    rotate("OLDKEY")
    environment = {name: value for name, value in os.environ.items() if "ACCESS_KEY" not in name}
    table = tables.create()
    daemon = start(table, environment={**environment, "AWS_SHARED_CREDENTIALS_FILE": str(file)})
    expired = proxy.inject(
        faults.error("ExpiredTokenException"), when=lambda exchange: "OLDKEY" in exchange.headers["Authorization"]
    )
    record = insert(1, item("k"))
    daemon.send_records(record)
    expired.wait(2)
    daemon.expect_silence()
    rotate("NEWKEY")
    daemon.expect_checkpoint(record.sequence_number)
    assert [item("k")] == tables.items(table)
    assert "ExpiredTokenException" in daemon.events("writes_delayed")[0]
    assert "OLDKEY" not in "\n".join(daemon.log)
