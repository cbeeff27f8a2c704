"""An episode's filter and mask, as settings, and what they make of an item, worked out here by itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from tests.chaos.journal import Item
from tests.chaos.sources import See

_KEY = b"a key that nobody has to keep, 32"
# An item has another tag at each write, so it goes out and in; kept ones stay, see workload.KEPT.
_OUT = "n3"
_FILTER = "begins_with(id, :kept) OR NOT contains(tags, :out)"
_VALUES = {":kept": {"S": "kept-"}, ":out": {"S": _OUT}}


def settings(folder: Path) -> dict[str, str]:
    """What a task is told.

    :param folder: for the mask's key
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "mask-key"
    key.write_bytes(_KEY)
    key.chmod(0o600)
    return {
        "filter": _FILTER,
        "filterValues": json.dumps(_VALUES),
        "maskAttributes": "token, lines[0].sku",
        "maskKey": f"file://{key}",
        "deadLetterMasked": "true",
    }


def see(*, with_view: bool) -> See:
    """What of an item is at the destination; the same function for all that have the same."""
    return seen if with_view else _all


def _all(item: Item) -> Item:
    return item


def seen(item: Item) -> Item | None:
    """What of an item is at the destination of a task with these settings."""
    if _OUT in item["tags"]["SS"] and not item["id"]["S"].startswith("kept-"):
        return None
    (line,) = item["lines"]["L"]
    masked = {"M": line["M"] | {"sku": _masked(line["M"]["sku"])}}
    return item | {"token": _masked(item["token"]), "lines": {"L": [masked]}}


def _masked(value: dict[str, Any]) -> dict[str, str]:
    ((kind, content),) = value.items()
    text = base64.b64encode(content).decode() if isinstance(content, bytes) else content
    return {"S": hmac.new(_KEY, json.dumps({kind: text}, separators=(",", ":")).encode(), hashlib.sha256).hexdigest()}
