"""DynamoDB's calls on a simulated table: parameters in, an encoded answer out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from tests.fakes.dynamodb.attribute_values import place
from tests.fakes.streams.simulated_errors import invalid, limit_of, not_found
from tests.fakes.streams.simulated_stream import Image
from tests.fakes.streams.simulated_table import Identity, Table

# API references of BatchGetItem, BatchWriteItem and Scan.
MAX_KEYS = 100
MAX_WRITES = 25
MAX_READ_BYTES = 16 * 2**20
MAX_SCAN_BYTES = 2**20

Content = dict[str, Any]
_encode = msgspec.json.Encoder().encode


class TableCalls:
    """The calls by name, each with the parameters that are simulated; to be made under the table's lock."""

    prefix = "DynamoDB_20120810"

    def __init__(self, table: Table) -> None:
        self._table = table
        self.by_name: dict[str, tuple[Callable[[Content], bytes], set[str]]] = {
            "DescribeTable": (self.describe_table, set()),
            "DescribeTimeToLive": (self.describe_time_to_live, set()),
            "GetItem": (self.get_item, {"Key"}),
            "PutItem": (self.put_item, {"Item", "ReturnValues"}),
            "DeleteItem": (self.delete_item, {"Key", "ReturnValues"}),
            "BatchGetItem": (self.batch_get_item, {"RequestItems"}),
            "BatchWriteItem": (self.batch_write_item, {"RequestItems"}),
            "Scan": (self.scan, {"Limit", "ExclusiveStartKey", "Segment", "TotalSegments"}),
        }

    def describe_table(self, content: Content) -> bytes:
        """DescribeTable."""
        table = self._named(content["TableName"])
        stream = table.stream
        images = table.scan(None)
        described: Content = {
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in table.key],
            "TableName": table.name,
            "KeySchema": self._table.key_schema(),
            "TableStatus": "ACTIVE",
            "CreationDateTime": table.made_at,
            "ProvisionedThroughput": {
                "NumberOfDecreasesToday": 0,
                "ReadCapacityUnits": 0,
                "WriteCapacityUnits": 0,
            },
            "TableSizeBytes": sum(image.size_bytes for image in images),
            "ItemCount": len(images),
            "TableArn": table.arn,
            "TableId": table.id,
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            "DeletionProtectionEnabled": False,
        }
        if table.replicas:
            described["GlobalTableVersion"] = "2019.11.21"
            described["Replicas"] = [{"RegionName": region, "ReplicaStatus": "ACTIVE"} for region in table.replicas]
        if stream:
            described["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream.view_type}
        if table.latest_stream_arn:
            described["LatestStreamLabel"] = table.latest_stream_arn.rpartition("/")[2]
            described["LatestStreamArn"] = table.latest_stream_arn
        return _encode({"Table": described})

    def describe_time_to_live(self, content: Content) -> bytes:
        """DescribeTimeToLive: it is off."""
        self._named(content["TableName"])
        return _encode({"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}})

    def get_item(self, content: Content) -> bytes:
        """GetItem."""
        image = self._named(content["TableName"]).get(content["Key"])
        return b'{"Item":%b}' % image.encoded if image else b"{}"

    def put_item(self, content: Content) -> bytes:
        """PutItem, without conditions."""
        before, _ = self._named(content["TableName"]).put(content["Item"])
        return _returned(content, before)

    def delete_item(self, content: Content) -> bytes:
        """DeleteItem, without conditions."""
        before, _ = self._named(content["TableName"]).delete(content["Key"])
        return _returned(content, before)

    def batch_get_item(self, content: Content) -> bytes:
        """BatchGetItem: what would make the answer larger than 16 MB comes back as unprocessed."""
        keys = self._requests(content, "Keys")
        if len(keys) > MAX_KEYS:
            raise invalid("Too many items requested for the BatchGetItem call")
        _check_distinct(self._table.identity(key, exact=True) for key in keys)
        found: list[bytes] = []
        size, undone = 0, []
        for key in keys:
            image = self._table.get(key)
            size += image.size_bytes if image else 0
            if size > MAX_READ_BYTES:
                undone.append(key)
            elif image:
                found.append(image.encoded)
        name = self._table.name.encode()
        unprocessed = _encode({self._table.name: {"Keys": undone}} if undone else {})
        return b'{"Responses":{"%b":[%b]},"UnprocessedKeys":%b}' % (name, b",".join(found), unprocessed)

    def batch_write_item(self, content: Content) -> bytes:
        """BatchWriteItem: all of it is done, or refused."""
        requests = self._requests(content)
        if len(requests) > MAX_WRITES:
            raise invalid("Too many items requested for the BatchWriteItem call")
        _check_distinct(
            self._table.checked(request["PutRequest"]["Item"])[0]
            if "PutRequest" in request
            else self._table.identity(request["DeleteRequest"]["Key"], exact=True)
            for request in requests
        )
        for request in requests:
            if "PutRequest" in request:
                self._table.put(request["PutRequest"]["Item"])
            else:
                self._table.delete(request["DeleteRequest"]["Key"])
        return b'{"UnprocessedItems":{}}'

    def scan(self, content: Content) -> bytes:
        """Scan, without filters: pages of ``Limit`` items or 1 MB, of one segment or all."""
        images = self._named(content["TableName"]).scan(content.get("ExclusiveStartKey"))
        segments = content.get("TotalSegments", 1)
        hash_key = self._table.key[0].name
        images = [image for image in images if place(image.content[hash_key]) % segments == content.get("Segment", 0)]
        limit = limit_of(content) or len(images)
        page: list[Image] = []
        size = 0
        for image in images[:limit]:
            page.append(image)
            size += image.size_bytes
            if size > MAX_SCAN_BYTES:
                break
        last = b""
        # With a limit there is a last key even where nothing follows, as of DynamoDB itself.
        if page and (len(page) < len(images) or len(page) == content.get("Limit")):
            last = b',"LastEvaluatedKey":' + _encode(self._table.key_of(page[-1].content))
        items = b",".join(image.encoded for image in page)
        return b'{"Items":[%b],"Count":%d,"ScannedCount":%d%b}' % (items, len(page), len(page), last)

    def _named(self, name: str) -> Table:
        if name not in (self._table.name, self._table.arn):
            raise not_found("Cannot do operations on a non-existent table")
        return self._table

    def _requests(self, content: Content, within: str | None = None) -> list[Any]:
        if not content["RequestItems"]:
            raise invalid("BatchWriteItem cannot have a null or no requests set")
        for name in content["RequestItems"]:
            self._named(name)
        ((name, wanted),) = content["RequestItems"].items()
        if within and wanted.keys() - {within, "ConsistentRead"}:
            raise invalid(f"Not simulated: {', '.join(sorted(wanted.keys() - {within, 'ConsistentRead'}))}")
        requests: list[Any] = wanted[within] if within else wanted
        if not requests:
            raise invalid(f"The batch write request list for a table cannot be null or empty: {name}")
        return requests


def _check_distinct(wanted: Iterable[Identity]) -> None:
    identities = list(wanted)
    if len(set(identities)) < len(identities):
        raise invalid("Provided list of item keys contains duplicates")


def _returned(content: Content, before: Image | None) -> bytes:
    wanted = content.get("ReturnValues", "NONE")
    if wanted not in ("NONE", "ALL_OLD"):
        raise invalid("ReturnValues can only be ALL_OLD or NONE")
    return b'{"Attributes":%b}' % before.encoded if before and wanted == "ALL_OLD" else b"{}"
