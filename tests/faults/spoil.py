"""Good answers, spoiled: emptied, without a part, with a part of another type.

What an item holds is left alone: who is given another item than the one that was written can't know it. So only what
belongs to the protocol is spoiled, and of a lease its row. Which part it is goes by ``number``, so that different
moments and seeds meet different parts, the uppermost first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.fakes.network.faulty_server import Answer

_IMAGES = {"NewImage", "OldImage", "Keys"}
_TYPES = {"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}
# A list of which one element may be left out in silence: a listing. A page of records without one of them is a page of
# another stream, and nobody can know.
_LISTINGS = {"Shards", "Items"}
# What says that more follows: a listing that is empty says that nothing does.
_MORE = ("NextShardIterator", "LastEvaluatedShardId", "LastEvaluatedKey")
_NOTHING: tuple[Any, ...] = (None, 5, [])
_ELEMENT = re.compile(rb"<(\w+)>([^<>]+)</\1>")
_Place = tuple[Any, Any]


def spoil(answer: Answer, kind: str, number: int, *, rows: bool = True) -> Answer | None:
    """The answer as the fault ``kind`` leaves it, or None where it has nothing that could be spoiled so.

    :param rows: its items are rows of the replicator's own
    """
    if not answer.body.strip():
        return _headless(answer)
    if answer.body.lstrip()[:1] == b"<":
        body = _xml(answer.body, kind, number)
    else:
        try:
            content = json.loads(answer.body)
        except ValueError:  # CBOR, of which only an empty answer is known here
            body = b"\xbf\xff" if kind == "empty-object" else answer.body
        else:
            body = json.dumps(_json(content, kind, number, rows=rows)).encode()
            if json.loads(body) == json.loads(answer.body):
                return None
    if body == answer.body:
        return None
    kept = {name: value for name, value in answer.headers.items() if name.lower() != "x-amz-crc32"}
    return answer._replace(body=body, headers=kept)


def _headless(answer: Answer) -> Answer | None:
    """S3's answer to a PutObject has its one part in a header."""
    kept = {name: value for name, value in answer.headers.items() if name.lower() != "etag"}
    return answer._replace(headers=kept) if kept != answer.headers else None


# --- JSON ------------------------------------------------------------------------------------------------------------


def _json(content: Any, kind: str, number: int, *, rows: bool) -> Any:
    if kind == "empty-object":
        return {}
    if kind == "empty-list":
        return _emptied(content)
    found = list(places(content, rows=rows))
    if kind == "part-missing":
        found += [(holder[name], -1) for holder, name in found if name in _LISTINGS and holder[name]]
    if found:
        holder, name = found[number % len(found)]
        if kind == "part-missing":
            del holder[name]
        else:
            holder[name] = _junk(holder[name], number // len(found))
    return content


def _emptied(content: Any) -> Any:
    if isinstance(content, list):
        return []
    if not isinstance(content, dict) or content.keys() & _TYPES:
        return content
    lists = {name for name, value in content.items() if isinstance(value, list)}
    dropped = set(_MORE) if lists else set()
    counts = {"Count", "ScannedCount"} if "Items" in lists else set()
    return {
        name: 0 if name in counts else _emptied(value) if name not in _IMAGES else value
        for name, value in content.items()
        if name not in dropped
    }


def places(content: Any, *, rows: bool = True) -> Iterator[_Place]:
    """Every part of an answer, the uppermost first; of a list's elements only the first one's.

    :param rows: the parts of items, too
    """
    pending = [content]
    while pending:
        each = pending.pop(0)
        for name, value in each.items():
            yield each, name
            inner = value[0] if isinstance(value, list) and value else value
            if (
                isinstance(inner, dict)
                and name not in _IMAGES
                and not inner.keys() & _TYPES
                and (rows or not _is_item(inner))
            ):
                pending.append(inner)


def _is_item(value: dict[str, Any]) -> bool:
    return bool(value) and all(isinstance(each, dict) and each.keys() <= _TYPES for each in value.values())


def _junk(value: Any, number: int) -> Any:
    if isinstance(value, (list, dict)):
        return ("junk", None, 5)[number % 3]
    if isinstance(value, (int, float)):
        return ("junk", [], {})[number % 3]
    return _NOTHING[number % 3]


# --- XML -------------------------------------------------------------------------------------------------------------


def _xml(body: bytes, kind: str, number: int) -> bytes:
    if kind == "empty-list":
        return body
    if kind == "empty-object":
        root = re.search(rb"<(\w+)", body)
        return b"<%b/>" % root[1] if root else body
    found = list(_ELEMENT.finditer(body))
    if not found:
        return body
    element = found[number % len(found)]
    instead = b"" if kind == "part-missing" else b"<%b><junk>5</junk></%b>" % (element[1], element[1])
    return body[: element.start()] + instead + body[element.end() :]
