"""What a command that only looks says of tables that ``copy`` will make, and of a stream that it will turn on."""

from __future__ import annotations

from typing import Any

import pytest

from processor.dynamodb import table_spec
from processor.reporting.findings import Finding, error
from processor.settings.settings import Settings
from processor.startup import preflight, provisioning
from processor.startup.facts import Facts
from processor.state import task_row
from processor.state.copy_rows import CopyState
from processor.state.leases import Lease
from tests.fakes.task.tasks import task

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/1"
UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 7}
SOURCE: dict[str, Any] = {
    "TableName": "orders",
    "TableArn": "arn:orders",
    "TableId": "orders",
    "TableStatus": "ACTIVE",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "day")],
    "ProvisionedThroughput": UNITS,
    "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
    "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": "arn:key"},
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-day",
            "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
            "ProvisionedThroughput": UNITS,
        }
    ],
}
MISSING = error("table-missing", "destination table orders-copy in eu-west-1", "does not exist", "Nothing", "Create it")
OTHER = error("unreachable", "checkpoint table t", "can't be reached", "It can't be used", "Check it", cause="outage")


def _found(settings: Settings, facts: Facts, *read: Finding) -> list[str]:
    """The ids of what ``check`` finds after the facts were read."""
    left = provisioning.foresee(settings, facts, read)
    return [
        finding.id for finding in [*left, *(each for check in preflight._CHECKS for each in check(settings, facts))]
    ]


def _facts(**changed: Any) -> Facts:
    return Facts(**({"source": dict(SOURCE), "source_ttl": "expires", "leases": []} | changed))


def test_what_copy_will_make_is_looked_at_as_if_it_were_there() -> None:
    """The destination is as the source is, in every respect that is checked; what it will lack is a warning."""
    settings = task(createDestination="true", enableStream="true")
    facts = _facts(missing={"destination"})
    assert _found(settings, facts, MISSING, OTHER) == ["unreachable", "encryption-not-copied"]
    assert facts.to_make == {"destination", "stream"}
    assert provisioning.shown(facts) == "make the destination and turn the stream on"
    assert facts.destination is not None
    assert table_spec.shown(facts.destination) == "provisioned, with the index by-day"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ["table-missing", "stream-off"]),
        ({"createDestination": "true"}, ["encryption-not-copied", "stream-off"]),
        ({"enableStream": "true"}, ["table-missing"]),
    ],
)
def test_only_what_is_asked_for_is_foreseen(given: dict[str, str], found: list[str]) -> None:
    """What no setting asks for is still missing."""
    assert _found(task(**given), _facts(missing={"destination"}), MISSING) == found


def test_what_it_would_be_made_like_is_missing() -> None:
    """Of two missing tables the one is said that keeps the other from being made."""
    source = error("table-missing", "source table orders in eu-west-1", "does not exist", "Nothing", "Create it")
    for given, left in (({}, [source, MISSING]), ({"createDestination": "true"}, [source])):
        facts = _facts(source=None, missing={"source", "destination"})
        assert provisioning.foresee(task(**given), facts, [source, MISSING]) == left
        assert facts.to_make == frozenset()


def test_a_destination_that_is_there_is_looked_at_as_it_is() -> None:
    """Nothing is made anew, so its key counts."""
    other = SOURCE | {"TableName": "orders-copy", "TableId": "c", "TableArn": "arn:c", "AttributeDefinitions": []}
    facts = _facts(destination=other, destination_ttl="expires")
    assert "key-differs" in _found(task(createDestination="true", enableStream="true"), facts)
    assert facts.to_make == {"stream"}


def test_a_stream_that_is_being_turned_on_is_waited_for() -> None:
    """As copy does, so a dry run doesn't advise to set what is set."""
    on = SOURCE | {"StreamSpecification": table_spec.STREAM, "LatestStreamArn": STREAM}
    for settings, expected in ((task(enableStream="true"), "ENABLED"), (task(), "ENABLING")):
        facts = _facts(source=on, stream_status="ENABLING", stream_shards=frozenset())
        provisioning.foresee(settings, facts, [])
        assert (facts.stream_status, facts.to_make) == (expected, frozenset())


def test_a_stream_that_was_turned_off_since_the_last_checkpoint_is_a_gap() -> None:
    """To turn it on again does not bring back what was written meanwhile."""
    settings = task(enableStream="true")
    lease = Lease(shard_id="shard-1", owner=None, counter=1, checkpoint="5")
    facts = _facts(leases=[lease], task=task_row.of(settings, STREAM), destination=SOURCE | {"TableId": "c"})
    assert "stream-replaced" in _found(settings, facts)
    copy = CopyState(id="c", segments=1, started_ms=1, stream_arn=STREAM, state="done")
    assert "copy-too-old" in _found(settings, _facts(copy=copy, destination=SOURCE | {"TableId": "c"}))


def test_the_remedy_is_not_to_set_what_is_set() -> None:
    """A start doesn't foresee anything: it says to run copy."""
    (advised,) = provisioning.advised(task(createDestination="true"), [MISSING])
    assert "Run copy, which makes it, as createDestination=true asks" in advised.remedy
    assert list(provisioning.advised(task(), [MISSING])) == [MISSING]
    (off,) = list(preflight._TASK_CHECKS[2](task(enableStream="true"), _facts()))
    assert off.remedy.startswith("Run copy, which turns it on")
