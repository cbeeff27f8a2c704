"""Stands in for a source's item of which no view can be made, by an item that no destination's item equals. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from processor.dynamodb.item_view import View
from processor.errors import UnviewableError
from processor.flow import shapes

_decoder = shapes.decoder(dict[str, msgspec.Raw])


def without_failing(view: View, key_names: Sequence[str]) -> View:
    """Make a view that raises for no item, so that all others are compared.

    Such an item becomes its key and an attribute whose name says why, so it counts as different, and the report says
    where. Its other attributes are left out, because they might be what is to be masked.
    """

    def seen(item: msgspec.Raw) -> msgspec.Raw | None:
        try:
            return view(item)
        except UnviewableError as exc:
            attributes = {name: value for name, value in _decoder.decode(item).items() if name in key_names}
            attributes[f"(nothing can be written of it: {exc})"] = msgspec.Raw(b'{"NULL":true}')
            return msgspec.Raw(msgspec.json.encode(attributes))

    return seen
