"""Makes CreateTable's request for a destination from DescribeTable's answer about the source.

Pure. What belongs to an account or a region and not to the table (a KMS key of one's own, replicas, alarms, policies)
is not in the request; ``left_out`` names what DescribeTable shows of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from processor.reporting.findings import Finding, warning

# The view type with the most content; our own replication needs only new images.
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
GLOBAL = "GlobalSecondaryIndexes"
LOCAL = "LocalSecondaryIndexes"
# Tags whose names begin with this are AWS's own; nobody else may set them (DynamoDB developer guide, tagging).
RESERVED_TAG = "aws:"

Table = Mapping[str, Any]


def request(
    source: Table, name: str, *, tags: Iterable[Mapping[str, str]] = (), stream: bool = False
) -> dict[str, Any]:
    """The arguments of CreateTable that make a table as ``source`` is.

    Defaults are left out, because a store that is not AWS's may not know them.

    :param source: ``Table`` of DescribeTable's answer
    :param tags: the source's, as ListTagsOfResource has them
    :param stream: whether the new table has a stream of its own
    """
    made = shape(source, name)
    if local := _indexes(source, LOCAL):
        made[LOCAL] = [_index(index) for index in local]
    if table_class(source) != "STANDARD":
        made["TableClass"] = table_class(source)
    if source.get("DeletionProtectionEnabled"):
        made["DeletionProtectionEnabled"] = True
    if stream:
        made["StreamSpecification"] = dict(STREAM)
    if kept := own_tags(tags):
        made["Tags"] = kept
    return made


def shape(source: Table, name: str) -> dict[str, Any]:
    """The part of the request that ImportTable accepts, too: keys, capacity, encryption and global indexes."""
    on_demand = billing_mode(source) == "PAY_PER_REQUEST"
    made = {
        "TableName": name,
        "AttributeDefinitions": _attributes(source),
        "KeySchema": _key(source),
        "BillingMode": billing_mode(source),
        **_throughput(source, on_demand=on_demand),
    }
    if encryption(source) == "KMS":
        made["SSESpecification"] = {"Enabled": True, "SSEType": "KMS"}
    if indexes := _indexes(source, GLOBAL):
        made[GLOBAL] = [_index(index) | _throughput(index, on_demand=on_demand) for index in indexes]
    return made


def own_tags(tags: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The tags that may be given to another table."""
    return [{"Key": tag["Key"], "Value": tag["Value"]} for tag in tags if not tag["Key"].startswith(RESERVED_TAG)]


def billing_mode(table: Table) -> str:
    """``PROVISIONED`` or ``PAY_PER_REQUEST``; the description of a table that was never on demand may not have it."""
    return str(table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"))


def table_class(table: Table) -> str:
    """``STANDARD``, which is also what a missing value means, or ``STANDARD_INFREQUENT_ACCESS``."""
    return str(table.get("TableClassSummary", {}).get("TableClass", "STANDARD"))


def encryption(table: Table) -> str:
    """``KMS`` with a key of the account, or ``DEFAULT`` with DynamoDB's own."""
    found = table.get("SSEDescription", {})
    return "KMS" if found.get("SSEType") == "KMS" and found.get("Status") in ("ENABLED", "UPDATING") else "DEFAULT"


def is_active(table: Table) -> bool:
    """Whether the table and all its global indexes can be used."""
    indexes = [index.get("IndexStatus", "ACTIVE") for index in table.get(GLOBAL, [])]
    return {table.get("TableStatus"), *indexes} == {"ACTIVE"}


def shown(table: Table) -> str:
    """Its billing mode and its indexes, for people."""
    billing = "on demand" if billing_mode(table) == "PAY_PER_REQUEST" else "provisioned"
    names = sorted(index["IndexName"] for kind in (GLOBAL, LOCAL) for index in _indexes(table, kind))
    if not names:
        return f"{billing}, without indexes"
    return f"{billing}, with the index{'es' if len(names) > 1 else ''} {', '.join(names)}"


def left_out(source: Table, name: str) -> Iterator[Finding]:
    """What a new table does not take over although the source shows it."""
    if encryption(source) == "KMS":
        key = source["SSEDescription"].get("KMSMasterKeyArn", "a KMS key")
        yield warning(
            "encryption-not-copied",
            f"encryption of source table {source['TableName']}",
            f"is with {key}, a key of its region and account",
            f"Table {name} is encrypted with the key that AWS manages for its account (alias/aws/dynamodb)",
            "If the source's is a customer managed key and the copy needs one too, give the new table a key of its own "
            f"place: aws dynamodb update-table --table-name {name} --sse-specification "
            "Enabled=true,SSEType=KMS,KMSMasterKeyId=<key>",
        )
    if vectors := source.get("VectorIndexes"):
        yield warning(
            "vector-indexes-not-made",
            f"vector indexes of source table {source['TableName']}",
            f"({', '.join(sorted(index['IndexName'] for index in vectors))}) are not made",
            f"Table {name} can't be searched by them",
            "Make them there yourself where they are needed",
        )


def differences(
    source: Table, destination: Table, *, source_ttl: str | None, destination_ttl: str | None, stream: bool
) -> Iterator[Finding]:
    """How an existing destination differs from what ``request`` would make, except in its key.

    :param source_ttl: the source's TTL attribute, or None if TTL is off or not known
    """
    what = f"destination table {destination['TableName']}"
    yield from _differing_indexes(source, destination, what)
    yield from _differing_capacity(source, destination, what)
    ours, theirs = table_class(source), table_class(destination)
    if ours != theirs:
        value, remedy = (
            f"has table class {theirs}; the source's is {ours}",
            "Change it with UpdateTable, or leave it so",
        )
        yield warning("class-differs", what, value, "It costs otherwise than the source", remedy)
    ours, theirs = encryption(source), encryption(destination)
    if ours != theirs:
        value = f"has encryption {theirs}; the source's is {ours}"
        consequence = "DEFAULT is a key of DynamoDB's own, KMS one that the account can see and audit"
        yield warning("encryption-differs", what, value, consequence, "Change it with UpdateTable, or leave it so")
    if source.get("DeletionProtectionEnabled") and not destination.get("DeletionProtectionEnabled"):
        remedy = "Turn it on with UpdateTable, or leave it so"
        yield warning(
            "deletion-protection-differs",
            what,
            "has no deletion protection; the source has",
            "It can be deleted by mistake",
            remedy,
        )
    if source_ttl and not destination_ttl:
        value = f"has no TTL; the source's is on {source_ttl}"
        consequence = "Expired items go when the source's own deletes are replicated, and only as long as that runs"
        yield warning("ttl-differs", what, value, consequence, f"Turn it on for {source_ttl}, or leave it so")
    if stream and not destination.get("StreamSpecification", {}).get("StreamEnabled"):
        remedy = f"Turn it on with view type {STREAM['StreamViewType']}, or leave destinationStream out"
        yield warning(
            "destination-stream-off",
            what,
            "has no stream",
            "destinationStream is for a table that is made anew",
            remedy,
        )


def _differing_indexes(source: Table, destination: Table, what: str) -> Iterator[Finding]:
    for kind, words in ((GLOBAL, "global"), (LOCAL, "local")):
        ours, theirs = _by_name(source, kind), _by_name(destination, kind)
        added = "Add it with UpdateTable" if kind == GLOBAL else "Make the table anew: a local index can't be added"
        for name in sorted(ours.keys() | theirs.keys()):
            of = f"{words} index {name} of {what}"
            if name not in theirs:
                yield warning(
                    "index-missing",
                    of,
                    "is missing; the source has it",
                    "It can't be queried there",
                    f"{added}, if needed",
                )
            elif name not in ours:
                remedy = "Remove it, or leave it so"
                yield warning(
                    "index-extra",
                    of,
                    "is not at the source",
                    "Each write costs more, and may be refused for it",
                    remedy,
                )
            elif ours[name] != theirs[name]:
                value = f"is {_shown(theirs[name])}; the source's is {_shown(ours[name])}"
                yield warning(
                    "index-differs",
                    of,
                    value,
                    "It answers queries otherwise",
                    "Make it anew as the source's, or leave it so",
                )


def _differing_capacity(source: Table, destination: Table, what: str) -> Iterator[Finding]:
    ours, theirs = billing_mode(source), billing_mode(destination)
    if ours != theirs:
        value = f"has billing mode {theirs}; the source's is {ours}"
        consequence = "It costs otherwise, and may take fewer writes than the source"
        yield warning("billing-differs", what, value, consequence, "Change it with UpdateTable, or leave it so")
        return
    by_index = {index["IndexName"]: index for index in _indexes(source, GLOBAL)}
    pairs = [(what, source, destination)] + [
        (f"global index {index['IndexName']} of {what}", by_index[index["IndexName"]], index)
        for index in _indexes(destination, GLOBAL)
        if index["IndexName"] in by_index
    ]
    for place, one, other in pairs:
        enough, there = _write_units(one, ours), _write_units(other, ours)
        if there is not None and (enough is None or there < enough):
            value = f"takes {there} write units a second; the source {'any number' if enough is None else enough}"
            yield warning(
                "capacity-lower",
                place,
                value,
                "It may fall behind when the source is busy",
                "Give it as many, or leave it so",
            )


def _write_units(table: Table, mode: str) -> int | None:
    """The maximum of write units a second, or None if there is none."""
    if mode == "PROVISIONED":
        found = table.get("ProvisionedThroughput", {}).get("WriteCapacityUnits")
    else:
        found = table.get("OnDemandThroughput", {}).get("MaxWriteRequestUnits")
    return found if found and found > 0 else None


def _key(part: Table) -> list[dict[str, str]]:
    return [{"AttributeName": each["AttributeName"], "KeyType": each["KeyType"]} for each in part["KeySchema"]]


def _attributes(source: Table) -> list[dict[str, str]]:
    """The attributes that a key uses: CreateTable refuses any other."""
    parts = [source, *_indexes(source, GLOBAL), *_indexes(source, LOCAL)]
    used = {each["AttributeName"] for part in parts for each in part["KeySchema"]}
    return [
        {"AttributeName": each["AttributeName"], "AttributeType": each["AttributeType"]}
        for each in source["AttributeDefinitions"]
        if each["AttributeName"] in used
    ]


def _indexes(table: Table, kind: str) -> list[dict[str, Any]]:
    """The indexes that are not being deleted."""
    return [index for index in table.get(kind) or [] if index.get("IndexStatus") != "DELETING"]


def _index(index: Table) -> dict[str, Any]:
    projection = {"ProjectionType": index["Projection"]["ProjectionType"]}
    if names := index["Projection"].get("NonKeyAttributes"):
        projection["NonKeyAttributes"] = list(names)
    return {"IndexName": index["IndexName"], "KeySchema": _key(index), "Projection": projection}


def _throughput(part: Table, *, on_demand: bool) -> dict[str, Any]:
    if on_demand:
        found = part.get("OnDemandThroughput", {})
        # -1 stands for "no maximum", which is the default.
        limits = {name: units for name, units in found.items() if units and units > 0}
        return {"OnDemandThroughput": limits} if limits else {}
    found = part.get("ProvisionedThroughput", {})
    units = {name: max(1, found.get(name, 1)) for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
    return {"ProvisionedThroughput": units}


def _by_name(table: Table, kind: str) -> dict[str, dict[str, Any]]:
    made = [_index(index) for index in _indexes(table, kind)]
    for index in made:
        index["Projection"].get("NonKeyAttributes", []).sort()  # a set of names, in whatever order
    return {index["IndexName"]: index for index in made}


def _shown(index: Table) -> str:
    key = ", ".join(f"{part['KeyType']} {part['AttributeName']}" for part in index["KeySchema"])
    names = ", ".join(index["Projection"].get("NonKeyAttributes", []))
    return f"{key} with {index['Projection']['ProjectionType']}{f' of {names}' if names else ''}"
