"""``writeMode=fenced``: no change is ever written over a newer one of its key, whoever still writes.

Each item carries the sequence number of the change that made it, and each write asks for an older one:

======  =====================================================  ====================================================
change  is written where the destination's item                else it is moot: a newer change is there
======  =====================================================  ====================================================
INSERT  is not there, has no number, or an older one
MODIFY  has no number, or an older one                         where it isn't there, the source decides: the key was
                                                               deleted since, or was never copied (``reconcile.py``)
REMOVE  is not there, has no number, or an older one
======  =====================================================  ====================================================

With ``ttlDeletes=ignore`` a MODIFY of an item that isn't there, as where it enters the filter, may be the last that is
known of what is to be kept. So where the source has the item no more, it is written as an INSERT is, and nothing is
deleted: if an application has deleted the item, its REMOVE is still to come.

What it can't see: a deleted item leaves no number. So an INSERT that is written after a newer REMOVE of its key brings
the item back, until the key's next change. A MODIFY doesn't, but with ``ttlDeletes=ignore``.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from processor.dynamodb.expiry import KEEPS_ALL, NO_EXPIRY
from processor.dynamodb.items import same
from processor.errors import (
    ConditionFailedError,
    RefusedError,
    UnavailableError,
    UnsettledError,
    UnviewableError,
)
from processor.flow import shapes
from processor.replication.change import SEQUENCE_NUMBER_DIGITS, Change
from processor.replication.reconcile import EVENT_NAME as RECONCILED
from processor.replication.reconcile import SourceReader, reconcile
from processor.replication.writer import NOTHING_NEWER, TableOptions, WritableTable

if TYPE_CHECKING:
    from typing_extensions import Unpack

_image_decoder = shapes.decoder(dict[str, msgspec.Raw])


class FencedTable(WritableTable):
    """The destination, whose items carry their sequence numbers in ``attribute``.

    :param source: decides what is to become of a MODIFY of an item that the destination doesn't have
    :param keeps_expired: what TTL has deleted at the source stays at the destination
    """

    def __init__(
        self,
        name: str,
        *,
        attribute: str,
        source: SourceReader,
        keeps_expired: bool = False,
        **options: Unpack[TableOptions],
    ) -> None:
        super().__init__(name, **options)
        self._attribute = attribute
        self._source = source
        self._expiry = KEEPS_ALL if keeps_expired else NO_EXPIRY

    def write_one(self, change: Change) -> bool:
        """PutItem or DeleteItem, under the condition above.

        :returns: whether it was written; False where a newer change was there
        :raises RefusedError: the destination will never accept it, or the source's item uses the attribute itself
        :raises UnavailableError: it may be done or not; writing it again does no harm
        """
        found = self._write(change)
        if found != "nothing":
            return found == "written"
        if self._reconciled(change):
            return True
        if change.kind == "put" and self._expiry.keeps_all:
            return self._write(msgspec.structs.replace(change, event_name="INSERT")) == "written"
        return False

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:  # noqa: ARG002  # the protocol's
        """As ``write_one``, which leaves a newer item where it is, whatever was ``there``."""
        self.write_one(change)
        return NOTHING_NEWER

    def _reconciled(self, change: Change) -> bool:
        """Whether the source's item of a change's key, or its having none, was written.

        :raises RefusedError, UnavailableError: as ``write_one`` does
        """
        try:
            done = reconcile(change.key, change.sequence_number, source=self._source, table=self, expiry=self._expiry)
        except UnsettledError as exc:
            raise UnavailableError(str(exc), code="Unsettled") from exc
        except UnviewableError:  # of a later change's item, for there is a view of this one's
            return False
        except RefusedError:
            # A later change's image may be the one that is refused: that change is then met, and decided, by itself.
            with contextlib.suppress(UnviewableError):
                if same(self._source.get(change.key), change.image):
                    raise
            return False
        return done.writes > 0

    def _write(self, change: Change) -> Literal["written", "newer", "nothing"]:
        """What was found at the destination; ``nothing`` where that forbids the write."""
        body = self._request(change)
        try:
            self._call_one("PutItem" if change.kind == "put" else "DeleteItem", msgspec.json.encode(body), change)
        except ConditionFailedError as exc:
            # Only a MODIFY asks for an item to be there, so to others it does not matter what a server leaves unsaid.
            return "newer" if exc.found or change.event_name != "MODIFY" else "nothing"
        return "written"

    def _request(self, change: Change) -> dict[str, Any]:
        number = {"S": change.sequence_number.zfill(SEQUENCE_NUMBER_DIGITS)}
        # A replayed record is moot where it was applied; the source's own item, read later, is newer than its number.
        older = "<=" if change.event_name == RECONCILED else "<"
        condition = f"attribute_not_exists(#fence) OR #fence {older} :number"
        names = {"#fence": self._attribute}
        if change.event_name == "MODIFY":
            condition = f"attribute_exists(#key) AND ({condition})"
            names["#key"] = change.key_names[0]
        request = {
            "TableName": self.name,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":number": number},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **({} if self._consumed is None else {"ReturnConsumedCapacity": "TOTAL"}),
        }
        if change.image is None:
            return {**request, "Key": change.key}
        attributes: dict[str, Any] = _image_decoder.decode(change.image)
        if self._attribute in attributes:
            message = (
                f"The source's item has an attribute {self._attribute} of its own, which writeMode=fenced would "
                "write over. Name another one in fenceAttribute"
            )
            raise RefusedError(message, code="FenceAttributeTaken")
        return {**request, "Item": {**attributes, self._attribute: number}}
