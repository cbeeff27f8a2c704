"""What is compared of a source's item of which no view can be made: what no destination's item equals. Pure."""

from __future__ import annotations

import msgspec

from processor.dynamodb.item_view import View
from processor.errors import UnviewableError

_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def without_failing(view: View) -> View:
    """A view that raises nothing for one item, so that all others are compared.

    Such an item has one more attribute, whose name says why: so it differs, and its report says where.
    """

    def seen(item: msgspec.Raw) -> msgspec.Raw | None:
        try:
            return view(item)
        except UnviewableError as exc:
            attributes = _decoder.decode(item)
            attributes[f"(nothing can be written of it: {exc})"] = msgspec.Raw(b'{"NULL":true}')
            return msgspec.Raw(msgspec.json.encode(attributes))

    return seen
