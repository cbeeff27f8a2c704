"""What is written of an item: the steps that the settings ask for, one after the other. Pure.

::

    the source's item
      1. filter              does it pass? if not, nothing of it is at the destination
      2. transform           the user's own function; it sees the whole item
      3. includeAttributes   or excludeAttributes
      4. maskAttributes
      5. renameAttributes
      6. setAttributes
    what is at the destination

Why in this order: the filter is asked of the item as the source has it, so DynamoDB itself can be asked the same by
Scan. The transform comes before anything is taken away that it may need, and whatever it makes of the item still passes
through the mask. All paths are the source's names and positions: renaming comes after them, and where what is left out
would move a list's positions, the mask goes by those before. What is left out is never hashed.

The heartbeat (``metrics/heartbeat.py``) passes as it is: it has to reach the destination for its lag to be known.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence

import msgspec

from processor.dynamodb.keys import decode_key, key_identity, key_reader
from processor.dynamodb.scanner import ScanFilter
from processor.errors import MalformedItemError
from processor.flow import shapes
from processor.metrics import heartbeat
from processor.view.condition.condition import Condition
from processor.view.projection import Attributes

# Changes an item's attributes, or returns None if nothing of the item is to be written.
Step = Callable[[Attributes], "Attributes | None"]

_decoder = shapes.decoder(dict[str, msgspec.Raw])
# What no expression of a user's can have for a name of its own, by accident.
_HEARTBEAT_NAME, _HEARTBEAT_VALUE = "#dynamodbReplicatorHeartbeat", ":dynamodbReplicatorHeartbeat"


class ItemView:
    """A task's view of its items; a ``View``. Any number of threads may share it.

    :param key_types: the source's key attributes, each with its type
    :param task_name: whose heartbeat passes
    :param condition: the filter, if there is one
    :param steps: all steps after the filter, in their order
    """

    def __init__(
        self,
        *,
        key_types: Mapping[str, str],
        task_name: str,
        condition: Condition | None = None,
        steps: Sequence[Step] = (),
    ) -> None:
        self._condition = condition
        self._steps = steps
        self._key_of = key_reader(list(key_types))
        self._heartbeat = heartbeat.key(key_types, task_name)
        self._heartbeat_identity = key_identity(self._heartbeat)
        self._hash_name = next(iter(key_types))
        self._mark = _mark(self._heartbeat[self._hash_name])

    def __call__(self, item: msgspec.Raw) -> msgspec.Raw | None:
        """What is written of an item, or None for nothing.

        :param item: DynamoDB JSON
        :raises UnviewableError: that can't be made
        :raises MalformedItemError: it is no DynamoDB JSON
        """
        if self._mark in bytes(item) and self._is_heartbeat(item):
            return item
        try:
            attributes = _decoder.decode(item)
            if self._condition is not None and not self._condition.matches(attributes):
                return None
            if not self._steps:
                return item
            for step in self._steps:
                changed = step(attributes)
                if changed is None:
                    return None
                attributes = changed
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
            raise MalformedItemError(f"an item that is no DynamoDB JSON ({type(exc).__name__})") from exc
        return msgspec.Raw(msgspec.json.encode(attributes))

    @property
    def scan_filter(self) -> ScanFilter | None:
        """What Scan is asked for, so that less travels: every item that passes, and a few more at most."""
        condition = self._condition
        if condition is None:
            return None
        return ScanFilter(
            # Without parentheses, for OR binds least of all, and DynamoDB refuses them where they are not needed.
            expression=f"{_HEARTBEAT_NAME} = {_HEARTBEAT_VALUE} OR {condition.text}",
            names={**condition.names, _HEARTBEAT_NAME: self._hash_name},
            values={**condition.values, _HEARTBEAT_VALUE: self._heartbeat[self._hash_name]},
        )

    def _is_heartbeat(self, item: msgspec.Raw) -> bool:
        return key_identity(decode_key(self._key_of(item))) == self._heartbeat_identity


class Constants:
    """Gives every item the same attributes: ``setAttributes``.

    :param attributes: ``{name: {type: value}}``; they take the place of the item's own
    """

    def __init__(self, attributes: Mapping[str, object]) -> None:
        self._attributes = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in attributes.items()}

    def __call__(self, attributes: Attributes) -> Attributes:
        """The attributes, changed."""
        attributes.update(self._attributes)
        return attributes


def _mark(value: Mapping[str, str]) -> bytes:
    """Bytes that every heartbeat has in it, in whatever notation, and hardly any other item."""
    ((kind, text),) = value.items()
    if kind == "N":
        return text.lstrip("-").encode()
    # Up to the slash, which JSON may write in two ways.
    name = (base64.b64decode(text).decode() if kind == "B" else text).partition("/")[0]
    return base64.b64encode(name[: len(name) // 3 * 3].encode()) if kind == "B" else name.encode()
