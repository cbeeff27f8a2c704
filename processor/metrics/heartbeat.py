"""The heartbeat: a small item of the source with which the lag is measured even if nothing else is written. Pure.

It is an item like any other, and is replicated to the destination under the same key.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

# Attribute with the time of the write, in ms since the epoch, by the clock of the machine that wrote it.
WRITTEN_AT = "writtenAtMs"
_NAME = "dynamodb-replicator-heartbeat/"
# A number that no application uses: negative, with the 38 digits that DynamoDB keeps.
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
