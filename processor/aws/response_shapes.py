"""Checks that an answer can be DynamoDB's: its members have the API's types, and the necessary ones are there.

Pure. A proxy, a captive portal or a store that only resembles DynamoDB may answer anything. botocore takes much of that
for an empty answer, which would mean "no such item" or "written", and fails on the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from datetime import datetime
from typing import Any

import msgspec

# What decoding raises if an answer is not DynamoDB's; the second if it is nested more deeply than any item.
NO_ANSWER = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
# How much of an error's text is shown: some are whole pages.
MAX_TEXT = 600
# Members that an answer must have, by botocore's name of the structure: DynamoDB always sends them, and we use them.
_NEEDED: Mapping[str, frozenset[str]] = {
    "AssumeRoleResponse": frozenset({"Credentials"}),
    "AttributeDefinition": frozenset({"AttributeName", "AttributeType"}),
    "BatchGetItemOutput": frozenset({"Responses"}),
    "Credentials": frozenset({"AccessKeyId", "Expiration", "SecretAccessKey", "SessionToken"}),
    "DescribeStreamOutput": frozenset({"StreamDescription"}),
    "DescribeTableOutput": frozenset({"Table"}),
    "DescribeTimeToLiveOutput": frozenset({"TimeToLiveDescription"}),
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
    "TimeToLiveDescription": frozenset({"TimeToLiveStatus"}),
}
# While a table is being made or deleted, DynamoDB may send only these.
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
    """What is wrong with a parsed answer, each fault as "place: fault", without any value.

    :param shape: botocore's model of the answer
    """
    expected = _TYPES.get(shape.type_name)
    if expected and (not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected)):
        yield f"{place} is no {shape.type_name}"
    elif shape.type_name == "structure":
        yield from (f"{place} has no {name}" for name in sorted(_NEEDED.get(shape.name, frozenset()) - value.keys()))
        for name, member in shape.members.items():
            if name in value:
                yield from faults(value[name], member, name)
        if shape.name in _MORE:
            yield from _MORE[shape.name](value, place)
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


def _page_faults(page: Mapping[str, Any], place: str) -> Iterator[str]:
    if is_cut(page.get("Count"), page.get("Items") or ()):
        yield f"{place} lacks some of its Items"


# What else is asked of a structure, by its name.
_MORE: Mapping[str, Callable[[Mapping[str, Any], str], Iterator[str]]] = {
    "ScanOutput": _page_faults,
    "TableDescription": _table_faults,
}


def is_cut(count: int | None, items: Sized) -> bool:
    """Whether a page does not have as many items as it says.

    :param count: its ``Count``; None if it says none
    """
    return count is not None and count != len(items)


def brief(text: object) -> str:
    """An error's text on one line, cut if it is too long."""
    line = " ".join(str(text).split())
    return line if len(line) <= MAX_TEXT else f"{line[:MAX_TEXT]} ..."
