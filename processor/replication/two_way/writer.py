"""The two directions' tables: each change is a few conditional calls, which the protocol's generators ask for.

Nothing here decides anything: ``mirror.py`` and ``uplink.py`` do. An error ends a generator, and ``apply.py`` begins
the change anew after it, or holds the shard, as with any table.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from processor.aws.bounds import has_too_many_values
from processor.aws.errors import AnswerTooLargeError, aws_errors
from processor.aws.redaction import HarmlessWords
from processor.aws.response_shapes import NO_ANSWER
from processor.dynamodb.expiry import NEVER
from processor.dynamodb.reader import one_decoder
from processor.errors import ConditionFailedError, MalformedItemError, UnavailableError
from processor.replication.change import Change
from processor.replication.two_way.conditions import Condition
from processor.replication.two_way.conflicts import Conflict
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.mirror import mirror_delete, mirror_put
from processor.replication.two_way.requests import (
    Delete,
    Failed,
    Found,
    Get,
    Keep,
    Kept,
    Outcome,
    Put,
    Request,
    SetMarker,
    Steps,
    Written,
)
from processor.replication.two_way.stamp import Stamp, new_stamp
from processor.replication.two_way.uplink import Policy, uplink
from processor.replication.write_responses import exchanged_decoder
from processor.replication.writer import TableOptions, WritableTable

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")
# A few requests settle a change; more follow only where somebody writes its key between two of them, each time. Then it
# is begun anew after a pause, as after an outage.
_MOST_REQUESTS = 50
# TTL that is turned on deletes nothing for an hour (developer guide, enabling TTL), so this is often enough.
_TTL_SECONDS = 60.0


class Conflicts(Protocol):
    """Keeps conflicts for good; ``conflict_log.ConflictLog``."""

    def keep(self, change: Change, conflict: Conflict) -> None:
        """Return when the conflict is stored.

        :raises UnavailableError: it can't be stored now
        :raises HeldError: it can't be stored until somebody puts something right
        """


class TwoWayTable(WritableTable):
    """A table that is written by the protocol's steps.

    :param markers: the task's
    :param returns: what a write's answer says of the item before: ``ALL_OLD``, or ``NONE`` of it
    """

    def __init__(self, name: str, *, markers: Markers, returns: str, **options: Unpack[TableOptions]) -> None:
        super().__init__(name, **options)
        self._markers = markers
        self._always: dict[str, Any] = {
            "TableName": name,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **({} if self._consumed is None else {"ReturnConsumedCapacity": "TOTAL"}),
        }
        self._returned = {"ReturnValues": returns}

    def _finish(self, steps: Steps[T], change: Change) -> T:
        """Make a change's requests, one after the other; returns what the steps return.

        :raises RefusedError: the table will never accept one of them
        :raises UnavailableError: some may be done; beginning anew does no harm
        """
        left = _MOST_REQUESTS
        try:
            request = next(steps)
            while left:
                left -= not isinstance(request, Keep)  # a long chain has as many entries as it takes
                request = steps.send(self._made(request, change))
        except StopIteration as end:
            result: T = end.value
            return result
        except MalformedItemError as exc:  # the record's own images were understood before
            message = f"Table {self.name} in {self._region}: {exc}"
            raise UnavailableError(message, code="NotDynamoDB") from exc
        message = f"Table {self.name} in {self._region}: an item was written by others between each look and write"
        raise UnavailableError(message, code="Unsettled")

    def _made(self, request: Request, change: Change) -> Outcome:
        if isinstance(request, Get):
            return Found(self._item(change))
        if isinstance(request, Put):
            more = {"Item": request.item, **self._returned}
            return self._written("PutItem", more, request.condition, change)
        if isinstance(request, Delete):
            more = {"Key": change.key, **self._returned}
            return self._written("DeleteItem", more, request.condition, change)
        if isinstance(request, SetMarker):
            return self._marked(request, change)
        raise TypeError(type(request))

    def _marked(self, request: SetMarker, change: Change) -> Outcome:
        members = request.condition.members(self._markers.name, change.key_names)
        members["ExpressionAttributeNames"] = {**members["ExpressionAttributeNames"], "#marker": self._markers.name}
        values = members.get("ExpressionAttributeValues", {})
        members["ExpressionAttributeValues"] = {**values, ":marker": request.marker.stored}
        return self._called(
            "UpdateItem", {"Key": change.key, "UpdateExpression": "SET #marker = :marker"}, members, change
        )

    def _written(self, operation: str, more: dict[str, Any], condition: Condition, change: Change) -> Outcome:
        return self._called(operation, more, condition.members(self._markers.name, change.key_names), change)

    def _called(self, operation: str, more: dict[str, Any], members: dict[str, Any], change: Change) -> Outcome:
        body = msgspec.json.encode({**self._always, **more, **members})
        try:
            found = self._send(operation, body, [change], exchanged_decoder).attributes
        except ConditionFailedError as exc:
            return Failed(None if exc.item is None else msgspec.Raw(exc.item))
        return Written(found.copy() if bytes(found) else None)

    def _item(self, change: Change) -> msgspec.Raw | None:
        """GetItem with ConsistentRead, by the same connections as the writes."""
        body = b'{"TableName":"%b","Key":%b,"ConsistentRead":true}' % (self.name.encode(), bytes(change.key))
        with aws_errors(self._call("GetItem"), HarmlessWords((self.name, *change.key_names))):
            answer = self._connected().call("GetItem", body, before_send=self._may_write)
            if has_too_many_values(answer):
                raise AnswerTooLargeError(whose="DynamoDB's", fault="it has more values than an item")
        try:
            found = one_decoder.decode(answer).item
        except NO_ANSWER as exc:
            message = f"{self._call('GetItem')}: the answer is none of DynamoDB's ({type(exc).__name__})"
            raise UnavailableError(message, code="NotDynamoDB") from exc
        return found.copy() if bytes(found) else None


class MirrorTable(TwoWayTable):
    """The spoke, to which the hub's records are written.

    :param stamp: makes the stamp of each write
    """

    def __init__(
        self,
        name: str,
        *,
        markers: Markers,
        stamp: Callable[[], Stamp] = new_stamp,
        **options: Unpack[TableOptions],
    ) -> None:
        super().__init__(name, markers=markers, returns="NONE", **options)
        self._stamp = stamp

    def write_one(self, change: Change) -> bool:
        """A put or delete by the protocol.

        :returns: whether it was written; False where a newer record of the hub was there
        :raises RefusedError: the spoke will never accept it
        :raises UnavailableError: it may be done or not; writing it again does no harm
        """
        number = int(change.sequence_number)
        steps = (
            mirror_delete(change.identity, number, markers=self._markers, stamp=self._stamp)
            if change.image is None
            else mirror_put(change.image, change.identity, number, markers=self._markers, stamp=self._stamp)
        )
        return self._finish(steps, change)


class UplinkTable(TwoWayTable):
    """The hub, to which the writes of the spoke's applications are written.

    :param conflicts: keeps those; called by any thread. None for a table that only makes connections
    """

    def __init__(
        self,
        name: str,
        *,
        markers: Markers,
        policy: Policy,
        conflicts: Conflicts | None,
        **options: Unpack[TableOptions],
    ) -> None:
        super().__init__(name, markers=markers, returns="ALL_OLD", **options)
        self._policy = policy
        self._conflicts = conflicts
        # Of writes that are done, so that beginning them anew shows nothing of it.
        self._owed: dict[bytes, Conflict] = {}
        self._past = NEVER
        self._asked = -math.inf

    def write_one(self, change: Change) -> bool:
        """An application's put or delete, by the protocol.

        :param change: as ``spoke_record.seen_by_uplink`` or ``chains.chained`` returns it
        :returns: whether it was written; False where the hub had it already, or has won a conflict, which is kept
        :raises RefusedError: the hub will never accept it
        :raises UnavailableError: it may be done or not; writing it again does no harm
        """
        if (conflict := self._owed.get(change.identity)) is not None:
            self._keep(change, conflict)
        steps = uplink(change.spoke_writes, markers=self._markers, policy=self._policy, is_expired=self._is_expired)
        return self._finish(steps, change) == "written"

    def _is_expired(self, item: msgspec.Raw) -> bool:
        """Whether TTL may delete it at any moment; asked only of what the hub has where a key is new at the spoke."""
        now = time.monotonic()
        if now - self._asked >= _TTL_SECONDS:
            # Which hardly any child needs.
            from processor.dynamodb import time_to_live

            self._past = time_to_live.look(self._client(), self.name, self._region).past
            self._asked = now
        return self._past(item)

    def _made(self, request: Request, change: Change) -> Outcome:
        if isinstance(request, Keep):
            self._keep(change, request.conflict)
            return Kept()
        return super()._made(request, change)

    def _keep(self, change: Change, conflict: Conflict) -> None:
        assert self._conflicts is not None  # noqa: S101  # a shard's table has it
        if conflict.outcome == "hubOverwritten":
            self._owed[change.identity] = conflict
        self._conflicts.keep(change, conflict)
        self._owed.pop(change.identity, None)
