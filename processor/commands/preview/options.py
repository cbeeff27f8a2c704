"""The options of ``run.sh preview``, as ``registry.py`` lists them. Pure."""

from __future__ import annotations

import msgspec

from processor.dynamodb.keys import decode_key

# A person looks at them, and all are held in memory.
MOST_ITEMS = 1000


class PreviewOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``items``: how many of the table's; ``keys``: those of the wanted items instead, each DynamoDB JSON."""

    items: int = 10
    keys: tuple[msgspec.Raw, ...] = ()
    values: bool = False
    as_json: bool = False


def key(text: str) -> list[msgspec.Raw]:
    """One key.

    :param text: DynamoDB JSON, ``{"id": {"S": "x"}}``
    :raises ValueError: it isn't
    """
    try:
        found = decode_key(msgspec.Raw(text.encode()))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        found = {}
    if not found or any(len(value) != 1 or next(iter(value)) not in {"S", "N", "B"} for value in found.values()):
        raise ValueError('it is no key as DynamoDB JSON. Give one such as \'{"id": {"S": "order-1"}}\'')
    return [msgspec.Raw(text.encode())]
