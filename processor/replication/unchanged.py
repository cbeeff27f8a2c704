"""A condition that the destination's item of a key is still what was read of it. Pure.

An expression can ask for each attribute that was there, a hundred at most, not for the absence of others. So an item
that has got more attributes, or differs after its first hundred, and has changed in nothing else, passes; a write's
answer shows it (``writer.py``, ``exchange``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from processor.flow import shapes

# With the ANDs between them 199 of the 300 operators that DynamoDB takes in one expression (Quotas).
_MOST_ATTRIBUTES = 100

_attributes_decoder = shapes.decoder(dict[str, msgspec.Raw])


def unchanged(there: msgspec.Raw | None, key_names: Sequence[str]) -> dict[str, Any]:
    """The members of a PutItem's or DeleteItem's request that have this condition.

    :param there: the item as DynamoDB JSON; None if there was none
    :param key_names: the table's key attributes
    """
    if there is None:
        return {
            "ConditionExpression": "attribute_not_exists(#0)",
            "ExpressionAttributeNames": {"#0": key_names[0]},
        }
    attributes = list(_attributes_decoder.decode(there).items())[:_MOST_ATTRIBUTES]
    return {
        "ConditionExpression": " AND ".join(f"#{number} = :{number}" for number in range(len(attributes))),
        "ExpressionAttributeNames": {f"#{number}": name for number, (name, _) in enumerate(attributes)},
        "ExpressionAttributeValues": {f":{number}": value for number, (_, value) in enumerate(attributes)},
    }
