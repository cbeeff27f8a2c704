"""A small item of the source whose way to the destination is measured, where nothing else is written. Pure.

It is an item like any other, replicated to the destination under the same key.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

# When it was written, in ms since the epoch, by the clock of the machine that wrote it.
WRITTEN_AT = "writtenAtMs"
_NAME = "dynamodb-replicator-heartbeat/"
# A number that no one counts to: 38 digits is what DynamoDB keeps.
_NUMBER = -(10**37)


def key(key_types: Mapping[str, str], task_name: str) -> dict[str, dict[str, str]]:
    """The heartbeat's key, its own for each task.

    :param key_types: the source's key attributes, each with its type (``S``, ``N`` or ``B``)
    :returns: DynamoDB JSON, binary values as base64 text
    """
    text = _NAME + task_name
    number = _NUMBER - int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    values = {"S": text, "N": str(number), "B": base64.b64encode(text.encode()).decode()}
    return {name: {kind: values[kind]} for name, kind in key_types.items()}
