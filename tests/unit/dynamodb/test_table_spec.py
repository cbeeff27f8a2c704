"""What a destination must be to be as the source is."""

from __future__ import annotations

from typing import Any

import pytest

from processor.dynamodb import table_spec

KEY = [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}]
BY_DAY = [{"AttributeName": "day", "KeyType": "HASH"}]
ARN = "arn:aws:kms:eu-west-1:123456789012:key/c1f0"
IA = "STANDARD_INFREQUENT_ACCESS"


def _attributes(**types: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def _units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def _table(name: str = "orders", **more: Any) -> dict[str, Any]:
    """On demand, as DescribeTable has it."""
    return {
        "TableName": name,
        "TableStatus": "ACTIVE",
        "TableArn": f"arn:{name}",
        "TableId": name,
        "ItemCount": 7,
        "KeySchema": KEY,
        "AttributeDefinitions": _attributes(id="S", at="N"),
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": 1},
        "ProvisionedThroughput": {**_units(0, 0), "NumberOfDecreasesToday": 0},
        "WarmThroughput": {"ReadUnitsPerSecond": 12000, "Status": "ACTIVE"},
        "TableClassSummary": {"TableClass": "STANDARD"},
        "DeletionProtectionEnabled": False,
    } | more


def _index(name: str = "by-day", *, key: Any = BY_DAY, projection: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": key,
        "Projection": projection or {"ProjectionType": "ALL"},
        "IndexStatus": "ACTIVE",
        "IndexArn": f"arn:{name}",
        "ItemCount": 7,
    } | more


PROVISIONED = {"BillingModeSummary": {"BillingMode": "PROVISIONED"}, "ProvisionedThroughput": _units(3, 4)}
DAY = _attributes(id="S", at="N", day="S")
LEAST = {
    "TableName": "copy",
    "AttributeDefinitions": _attributes(id="S", at="N"),
    "KeySchema": KEY,
    "BillingMode": "PAY_PER_REQUEST",
}
MADE_INDEX = {"IndexName": "by-day", "KeySchema": BY_DAY, "Projection": {"ProjectionType": "ALL"}}
# What DescribeTable says beyond the least, and what CreateTable is asked for beyond the least.
REQUESTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "on demand": ({}, {}),
    "on demand with maxima": (
        {"OnDemandThroughput": {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 50}},
        {"OnDemandThroughput": {"MaxWriteRequestUnits": 50}},
    ),
    "on demand without maxima": ({"OnDemandThroughput": {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}}, {}),
    "provisioned": (PROVISIONED, {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _units(3, 4)}),
    "provisioned, and never anything else": (
        {"BillingModeSummary": {}, "ProvisionedThroughput": _units(3, 4)},
        {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _units(3, 4)},
    ),
    "an index on demand": (
        {
            "AttributeDefinitions": DAY,
            "GlobalSecondaryIndexes": [
                _index(ProvisionedThroughput=_units(0, 0), OnDemandThroughput={"MaxReadRequestUnits": 5})
            ],
        },
        {
            "AttributeDefinitions": DAY,
            "GlobalSecondaryIndexes": [{**MADE_INDEX, "OnDemandThroughput": {"MaxReadRequestUnits": 5}}],
        },
    ),
    "a provisioned index": (
        {
            **PROVISIONED,
            "AttributeDefinitions": DAY,
            "GlobalSecondaryIndexes": [_index(ProvisionedThroughput={**_units(1, 2), "NumberOfDecreasesToday": 0})],
        },
        {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": _units(3, 4),
            "AttributeDefinitions": DAY,
            "GlobalSecondaryIndexes": [{**MADE_INDEX, "ProvisionedThroughput": _units(1, 2)}],
        },
    ),
    "an index that is being deleted": (
        {"AttributeDefinitions": DAY, "GlobalSecondaryIndexes": [_index(IndexStatus="DELETING")]},
        {},
    ),
    "a local index": (
        {
            "AttributeDefinitions": DAY,
            "LocalSecondaryIndexes": [
                _index(key=[KEY[0], {"AttributeName": "day", "KeyType": "RANGE"}], projection={"ProjectionType": "ALL"})
            ],
        },
        {
            "AttributeDefinitions": DAY,
            "LocalSecondaryIndexes": [
                {**MADE_INDEX, "KeySchema": [KEY[0], {"AttributeName": "day", "KeyType": "RANGE"}]}
            ],
        },
    ),
    "an index of some attributes": (
        {
            "AttributeDefinitions": DAY,
            "GlobalSecondaryIndexes": [
                _index(projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]})
            ],
        },
        {
            "AttributeDefinitions": DAY,
            "GlobalSecondaryIndexes": [
                {**MADE_INDEX, "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]}}
            ],
        },
    ),
    "an index of several attributes": (
        {
            "AttributeDefinitions": DAY,
            "GlobalSecondaryIndexes": [_index(key=[*BY_DAY, {"AttributeName": "at", "KeyType": "HASH"}])],
        },
        {
            "AttributeDefinitions": DAY,
            "GlobalSecondaryIndexes": [
                {**MADE_INDEX, "KeySchema": [*BY_DAY, {"AttributeName": "at", "KeyType": "HASH"}]}
            ],
        },
    ),
    "no index any more": ({"GlobalSecondaryIndexes": [], "LocalSecondaryIndexes": []}, {}),
    "rarely read": ({"TableClassSummary": {"TableClass": IA}}, {"TableClass": IA}),
    "a KMS key": (
        {"SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": ARN}},
        {"SSESpecification": {"Enabled": True, "SSEType": "KMS"}},
    ),
    "a KMS key no more": ({"SSEDescription": {"Status": "DISABLED", "SSEType": "KMS"}}, {}),
    "protected": ({"DeletionProtectionEnabled": True}, {"DeletionProtectionEnabled": True}),
    "a stream": ({"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}}, {}),
    "replicas": ({"Replicas": [{"RegionName": "us-east-1"}], "GlobalTableVersion": "2019.11.21"}, {}),
}


@pytest.mark.parametrize(("source", "made"), REQUESTS.values(), ids=REQUESTS)
def test_a_table_like_the_source(source: dict[str, Any], made: dict[str, Any]) -> None:
    """CreateTable is asked for what the source is, and for nothing that is the default or the place's own."""
    assert table_spec.request(_table(**source), "copy") == LEAST | made


@pytest.mark.parametrize("source", [source for source, _ in REQUESTS.values()], ids=REQUESTS)
def test_an_equal_table_does_not_differ(source: dict[str, Any]) -> None:
    """A table that is as the source is has no finding, whatever the source is."""
    assert _differences(_table(**source), _table("copy", **source)) == []


def test_a_stream_is_made_where_it_is_asked_for() -> None:
    """The new table's stream is what was asked for, whatever the source's is."""
    made = table_spec.request(_table(), "copy", stream=True)
    assert made == LEAST | {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}


def test_tags_are_given_on() -> None:
    """The source's tags are the new table's, but for those that only AWS may set."""
    tags = [{"Key": "team", "Value": "orders"}, {"Key": "aws:cloudformation:stack-name", "Value": "x"}]
    assert table_spec.request(_table(), "copy", tags=tags) == LEAST | {"Tags": tags[:1]}
    assert table_spec.request(_table(), "copy", tags=tags[1:]) == LEAST


def test_what_a_table_cannot_take_with_it_is_said() -> None:
    """A KMS key and vector indexes are named, with what the new table has instead."""
    assert list(table_spec.left_out(_table(), "copy")) == []
    encrypted = _table(**REQUESTS["a KMS key"][0])
    (found,) = table_spec.left_out(encrypted, "copy")
    assert (found.severity, ARN in found.value, "alias/aws/dynamodb" in found.consequence) == ("warning", True, True)
    (found,) = table_spec.left_out(_table(VectorIndexes=[{"IndexName": "near"}]), "copy")
    assert "near" in found.value


def _differences(source: Any, destination: Any, **more: Any) -> list[str]:
    given = {"source_ttl": None, "destination_ttl": None, "stream": False, **more}
    found = list(table_spec.differences(source, destination, **given))
    assert {"warning"} >= {finding.severity for finding in found}
    return [f"{finding.object} {finding.value}" for finding in found]


INDEXED = {"AttributeDefinitions": DAY, "GlobalSecondaryIndexes": [_index()]}
DIFFERENT: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no index": (INDEXED, {}, "global index by-day of destination table copy is missing"),
    "an index more": ({}, INDEXED, "global index by-day of destination table copy is not at the source"),
    "a local index": (
        {"LocalSecondaryIndexes": [_index(key=KEY)]},
        {},
        "local index by-day of destination table copy is missing",
    ),
    "another index": (
        INDEXED,
        {**INDEXED, "GlobalSecondaryIndexes": [_index(projection={"ProjectionType": "KEYS_ONLY"})]},
        "is HASH day with KEYS_ONLY; the source's is HASH day with ALL",
    ),
    "billing": (PROVISIONED, {}, "billing mode PAY_PER_REQUEST; the source's is PROVISIONED"),
    "capacity": (PROVISIONED, {**PROVISIONED, "ProvisionedThroughput": _units(3, 3)}, "takes 3 write units a second"),
    "a maximum": ({}, {"OnDemandThroughput": {"MaxWriteRequestUnits": 9}}, "9 write units a second; the source any"),
    "an index's capacity": (
        {**INDEXED, **PROVISIONED, "GlobalSecondaryIndexes": [_index(ProvisionedThroughput=_units(1, 2))]},
        {**INDEXED, **PROVISIONED, "GlobalSecondaryIndexes": [_index(ProvisionedThroughput=_units(1, 1))]},
        "global index by-day of destination table copy takes 1 write units",
    ),
    "class": ({"TableClassSummary": {"TableClass": IA}}, {}, f"class STANDARD; the source's is {IA}"),
    "encryption": (REQUESTS["a KMS key"][0], {}, "has encryption DEFAULT; the source's is KMS"),
    "protection": ({"DeletionProtectionEnabled": True}, {}, "has no deletion protection"),
}


@pytest.mark.parametrize(("source", "destination", "words"), DIFFERENT.values(), ids=DIFFERENT)
def test_a_difference_is_said(source: dict[str, Any], destination: dict[str, Any], words: str) -> None:
    """What differs makes one warning that says how."""
    (found,) = _differences(_table(**source), _table("copy", **destination))
    assert words in found


def test_more_than_the_source_has_is_no_difference() -> None:
    """A destination that takes more writes, or can't be deleted, keeps up all the same."""
    more = {**PROVISIONED, "ProvisionedThroughput": _units(1, 9), "DeletionProtectionEnabled": True}
    assert _differences(_table(**PROVISIONED), _table("copy", **more)) == []


def test_ttl_and_stream_differ() -> None:
    """TTL that is missing is a warning, and so is a stream that was asked for; another TTL is the preflight's."""
    table, copy = _table(), _table("copy")
    (found,) = _differences(table, copy, source_ttl="expires")
    assert "has no TTL; the source's is on expires" in found
    assert _differences(table, copy, source_ttl="expires", destination_ttl="end") == []
    (found,) = _differences(table, copy, stream=True)
    assert "has no stream" in found


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (_table(), True),
        (_table(TableStatus="CREATING"), False),
        (_table(TableStatus="UPDATING"), False),
        (_table(GlobalSecondaryIndexes=[_index()]), True),
        (_table(GlobalSecondaryIndexes=[_index(), _index("b", IndexStatus="CREATING")]), False),
    ],
)
def test_a_table_is_active_with_its_indexes(table: dict[str, Any], *, expected: bool) -> None:
    """A table is active when it and all its indexes are."""
    assert expected == table_spec.is_active(table)
