"""Whether an answer is one that DynamoDB gives: its members have the types of the API, and those that matter are there.

Pure. A proxy, a captive portal or a store that only resembles DynamoDB may answer anything; botocore takes a good deal
of that for an empty answer, which would mean "no such item" or "written", and stumbles over the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

# What decoding an answer raises that is none of DynamoDB's; the second where it is nested more deeply than any item.
NO_ANSWER = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
# An error's text is shown as far as this: some are whole pages.
MAX_TEXT = 600
# What an answer must have, by botocore's name of the structure: the API reference has it always, and we use it.
_NEEDED: Mapping[str, frozenset[str]] = {
    "AssumeRoleResponse": frozenset({"Credentials"}),
    "AttributeDefinition": frozenset({"AttributeName", "AttributeType"}),
    "BatchGetItemOutput": frozenset({"Responses"}),
    "Credentials": frozenset({"AccessKeyId", "Expiration", "SecretAccessKey", "SessionToken"}),
    "DescribeStreamOutput": frozenset({"StreamDescription"}),
    "DescribeTableOutput": frozenset({"Table"}),
    "GetCallerIdentityResponse": frozenset({"Arn"}),
    "GetRecordsOutput": frozenset({"Records"}),
    "GetShardIteratorOutput": frozenset({"ShardIterator"}),
    "GlobalSecondaryIndexDescription": frozenset({"IndexName", "KeySchema", "Projection"}),
    "KeySchemaElement": frozenset({"AttributeName", "KeyType"}),
    "LocalSecondaryIndexDescription": frozenset({"IndexName", "KeySchema", "Projection"}),
    "ScanOutput": frozenset({"Items"}),
    "Shard": frozenset({"ShardId", "SequenceNumberRange"}),
    "StreamDescription": frozenset({"StreamStatus"}),
    "TableDescription": frozenset({"TableName", "TableStatus"}),
    "Tag": frozenset({"Key", "Value"}),
}
# Of a table that is being made or deleted DynamoDB need not say more.
_NEEDED_OF_TABLE = frozenset({"AttributeDefinitions", "KeySchema"})
_THERE = frozenset({"ACTIVE", "UPDATING"})
_TYPES: Mapping[str, tuple[type, ...]] = {
    "blob": (bytes,),
    "boolean": (bool,),
    "double": (float, int),
    "float": (float, int),
    "integer": (int,),
    "list": (list,),
    "long": (int,),
    "map": (dict,),
    "string": (str,),
    "structure": (dict,),
    "timestamp": (datetime,),
}


def faults(value: Any, shape: Any, place: str = "the answer") -> Iterator[str]:
    """What is wrong with a parsed answer, each as "place: fault"; no value stands in it.

    :param shape: botocore's model of it
    """
    expected = _TYPES.get(shape.type_name)
    if expected and (not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected)):
        yield f"{place} is no {shape.type_name}"
    elif shape.type_name == "structure":
        yield from (f"{place} has no {name}" for name in sorted(_NEEDED.get(shape.name, frozenset()) - value.keys()))
        for name, member in shape.members.items():
            if name in value:
                yield from faults(value[name], member, name)
        if shape.name == "TableDescription":
            yield from _table_faults(value, place)
    elif shape.type_name == "list":
        for each in value:
            yield from faults(each, shape.member, place)
    elif shape.type_name == "map":
        for each in value.values():
            yield from faults(each, shape.value, place)


def _table_faults(table: Mapping[str, Any], place: str) -> Iterator[str]:
    if table.get("TableStatus") not in _THERE:
        return
    yield from (f"{place} has no {name}" for name in sorted(_NEEDED_OF_TABLE - table.keys()))
    if table.get("StreamSpecification", {}).get("StreamEnabled") and not table.get("LatestStreamArn"):
        yield f"{place} has a stream without an ARN"
    defined = {each.get("AttributeName") for each in table.get("AttributeDefinitions", [])}
    if not table.get("KeySchema") or any(part.get("AttributeName") not in defined for part in table["KeySchema"]):
        yield f"{place} has a key without a definition"


def brief(text: object) -> str:
    """An error's text on one line, cut where it goes on and on."""
    line = " ".join(str(text).split())
    return line if len(line) <= MAX_TEXT else f"{line[:MAX_TEXT]} ..."
