"""The one seam between an item of the source and what is written of it: a view of the item, or nothing. Pure.

Whoever writes what an item of the source holds passes the item through the task's view: the stream
(``replication/stream_record.py``), a copy's segments, and all who read the source's items by key: ``reconcile.py``, and
so redrive, verify's repair, a copy's second look and ``writeMode=fenced``. Verify looks at the source through it, too.
So what one of them would not write, none of the others writes, or takes for missing.

A task that asks for no view has none, and its items stay the bytes they came as.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from processor.settings.settings import Settings

# From an item to what is written of it, both DynamoDB JSON; None where nothing is. It leaves the key as it is. What it
# raises holds the shard, or ends the command.
View = Callable[[msgspec.Raw], msgspec.Raw | None]

_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def view_of(settings: Settings) -> View | None:  # noqa: ARG001  # no setting asks for a view yet
    """The task's view; None where it has none."""
    return None


def without(attribute: str) -> View:
    """A view of items that leaves one attribute out."""

    def view(item: msgspec.Raw) -> msgspec.Raw:
        attributes = _decoder.decode(item)
        attributes.pop(attribute, None)
        return msgspec.Raw(msgspec.json.encode(attributes))

    return view
