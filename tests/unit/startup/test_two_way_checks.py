"""What a two-way task is refused for, and what each direction is told."""

from __future__ import annotations

from typing import Any

import pytest

from processor.settings.settings import Settings
from processor.startup import preflight, table_checks, two_way_checks
from processor.startup.facts import Facts
from tests.fakes.task.tasks import task
from tests.fakes.task.two_way import two_way


def _table(name: str = "orders", *, view: str | None = "NEW_AND_OLD_IMAGES", names: str = "id") -> dict[str, Any]:
    stream = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}, "LatestStreamArn": f"arn:{name}"}
    return {
        "TableName": name,
        "TableStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in names.split()],
        **(stream if view else {}),
    }


def _facts(**changed: Any) -> Facts:
    return Facts(**{"source": _table(), "destination": _table("orders-copy"), **changed})


def _by_itself(settings: Settings) -> list[str]:
    return [finding.id for finding in two_way_checks.by_itself(settings)]


def test_nothing_is_wrong() -> None:
    """With the least settings, and tables that have what is needed."""
    mirror, uplink = two_way().in_directions
    assert _by_itself(mirror) == []
    assert list(two_way_checks.with_tables(mirror, _facts())) == []
    assert [*two_way_checks.by_itself(uplink), *two_way_checks.with_tables(uplink, _facts())] == []


def test_a_task_of_one_direction_has_nothing_here() -> None:
    """Whatever it is set to."""
    settings = task(filter="attribute_exists(a)", writeMode="fenced", ttlDeletes="ignore")
    assert _by_itself(settings) == []
    assert list(two_way_checks.with_tables(settings, _facts(destination_ttl="expires"))) == []


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"filter": "attribute_exists(a)"}, "two-way-view"),
        ({"transform": "a:b"}, "two-way-view"),
        ({"includeAttributes": "a"}, "two-way-view"),
        ({"excludeAttributes": "a"}, "two-way-view"),
        ({"maskAttributes": "a"}, "two-way-view"),
        ({"renameAttributes": "a=b"}, "two-way-view"),
        ({"setAttributes": '{"a": {"S": "b"}}'}, "two-way-view"),
        ({"bootstrap": "true"}, "two-way-by-itself"),
        ({"afterLoss": "copy"}, "two-way-by-itself"),
        ({"writeMode": "item"}, "two-way-write-mode"),
        ({"writeMode": "fenced"}, "two-way-write-mode"),
        ({"ttlDeletes": "ignore"}, "two-way-archive"),
        ({"onError": "deadLetter", "deadLetterUri": "s3://bucket"}, "two-way-dead-letters"),
        ({"conflictUri": ""}, "two-way-conflicts"),
    ],
)
def test_settings_that_it_can_not_have(given: dict[str, str], name: str) -> None:
    """Each is refused once, for both directions, and named."""
    settings = two_way(**given)
    assert _by_itself(settings) == [name]
    (finding,) = two_way_checks.by_itself(settings)
    assert finding.severity == "error"
    assert next(iter(given)) in finding.object


@pytest.mark.parametrize("direction", [0, 1], ids=["mirror", "uplink"])
@pytest.mark.parametrize(
    ("view", "name"),
    [(None, "stream-off"), ("NEW_IMAGE", "two-way-stream-view"), ("KEYS_ONLY", "two-way-stream-view")],
)
def test_both_streams_have_both_images(direction: int, view: str | None, name: str) -> None:
    """Each direction says it of the table that it reads."""
    settings = two_way().in_directions[direction]
    facts = _facts(source=_table(settings.source_table, view=view))
    assert [finding.id for finding in table_checks.stream_on(settings, facts)] == [name]
    (finding,) = table_checks.stream_on(settings, facts)
    assert settings.source_table in finding.object


@pytest.mark.parametrize("side", ["source", "destination"])
def test_the_markers_attribute_is_nobodys_key(side: str) -> None:
    """In neither table, for an index would refuse the marker, or the application needs the attribute."""
    facts = _facts(**{side: _table(names="id _replication")})
    assert [each.id for each in two_way_checks.with_tables(two_way(), facts)] == ["marker-attribute-in-key"]
    assert list(two_way_checks.with_tables(two_way(markerAttribute="_m"), facts)) == []


@pytest.mark.parametrize(
    ("source", "destination", "found"),
    [
        ("a", "a", []),
        ("a", None, []),
        (None, None, []),
        (None, "a", ["two-way-ttl"]),
        ("a", "b", ["two-way-ttl"]),
    ],
)
def test_the_destination_deletes_by_the_sources_date_or_not_at_all(
    source: str | None, destination: str | None, found: list[str]
) -> None:
    """What it deletes by itself is not written back."""
    facts = _facts(source_ttl=source, destination_ttl=destination)
    assert [each.id for each in two_way_checks.with_tables(two_way(), facts)] == found
    assert list(table_checks.destination_ttl(two_way(), facts)) == []


def test_each_check_of_both_tables_is_said_once() -> None:
    """Two keys that differ, or one table for both, is found on the way there alone."""
    assert set(preflight._CHECKS) >= preflight._SAID_OF_MIRROR
