"""What is written of a source's item: a view of the item, or nothing. ``view/task_view.py`` makes a task's. Pure.

Every writer passes the source's items through the task's view: the stream (``replication/stream_record.py``), a copy's
segments, and everything that reads the source's items by key (``reconcile.py``, and so redrive, verify's repair, a
copy's second read, and ``writeMode=fenced``). Verify sees the source through it, too. So all of them agree on which
items are written, and none takes an item for missing that another would not write.

A task without a view leaves its items as the bytes they came as.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from processor.flow import shapes

# Maps an item to what is written of it, both DynamoDB JSON, or to None if nothing is written. It must not change the
# key. It raises UnviewableError for an item of which nothing can be made, which is then a change that is never
# accepted; any other exception holds the shard, or ends the command.
View = Callable[[msgspec.Raw], msgspec.Raw | None]

# Stands for an item of the source of which nothing is written, for those who must tell it from no item: with
# ``ttlDeletes=ignore`` what TTL has deleted stays, and what the view leaves out does not. No item is without a key.
UNSEEN = msgspec.Raw(b"{}")

_decoder = shapes.decoder(dict[str, msgspec.Raw])


def without(attribute: str) -> View:
    """A view of items that leaves one attribute out."""

    def view(item: msgspec.Raw) -> msgspec.Raw:
        attributes = _decoder.decode(item)
        attributes.pop(attribute, None)
        return msgspec.Raw(msgspec.json.encode(attributes))

    return view
