"""The destination, from whose items markers are removed; whatever else an item has stays, and is not looked at."""

from __future__ import annotations

import msgspec

from processor.dynamodb.items import parsed
from processor.errors import ConditionFailedError
from processor.replication.change import Change
from processor.replication.two_way.conditions import MarkerIs
from processor.replication.writer import WritableTable


class MarkedTable(WritableTable):
    """Any number of threads may share it."""

    def unmark(self, change: Change, attribute: str, stored: msgspec.Raw) -> bool:
        """UpdateItem, on condition that the marker is the one that was read.

        :param change: names the item; nothing else of it is used
        :param stored: the marker
        :returns: whether the item is there and has no such attribute now; it is looked at as it was for the condition
        :raises MalformedItemError: what is there is no DynamoDB JSON
        :raises UnavailableError: it may be done or not; doing it again does no harm
        """
        request = {
            "TableName": self.name,
            "Key": change.key,
            "UpdateExpression": "REMOVE #m",
            **MarkerIs(stored).members(attribute, change.key_names),
            "ReturnConsumedCapacity": "TOTAL",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            self._call_one("UpdateItem", msgspec.json.encode(request), change)
        except ConditionFailedError as exc:
            # It is removed already if only the answer to the first attempt was lost.
            return exc.item is not None and attribute not in parsed(msgspec.Raw(exc.item))
        return True
