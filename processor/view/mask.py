"""Replaces values by a keyed hash, equal for equal values, so that masked tables can still be joined. Pure.

The hash is HMAC-SHA-256 of the value's canonical form, as a text of 64 hexadecimal digits. The canonical form is JSON
of the value with its type, without spaces, in UTF-8::

    {"S":"ada@example.com"}     {"N":"100"} for 100, 100.0 and 1E2     {"SS":["a","b"]} in any order

Numbers have plain digits, without an exponent and without zeros at their ends; members of sets and keys of maps are
sorted, by their Unicode code points. **It must never change**: hashes that were made with another form would not be
equal to those made from now on.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from processor.dynamodb import item_paths
from processor.dynamodb.items import encoded
from processor.dynamodb.keys import normal_number
from processor.errors import MalformedItemError
from processor.flow import shapes
from processor.settings.attribute_paths import Path
from processor.view.projection import Attributes

_decoder: msgspec.json.Decoder[dict[str, Any]] = shapes.decoder(dict[str, Any])


class Mask:
    """Masks what stands at the paths.

    :param paths: none of them below another one, nor in the key
    :param key: the secret, 16 bytes or more
    """

    def __init__(self, paths: Iterable[Path], key: bytes) -> None:
        found = set(paths)
        self._whole = sorted(str(path[0]) for path in found if len(path) == 1)
        self._within: dict[str, list[Path]] = {}
        for path in sorted((path for path in found if len(path) > 1), key=str):
            self._within.setdefault(str(path[0]), []).append(path)
        self._masked = partial(masked, key)

    def __call__(self, attributes: Attributes) -> Attributes:
        """The attributes, changed."""
        for name in self._whole:
            value = attributes.get(name)
            if value is not None:
                attributes[name] = msgspec.Raw(b'{"S":"%b"}' % self._masked(_decoder.decode(value))["S"].encode())
        for name, paths in self._within.items():
            value = attributes.get(name)
            if value is not None:
                inside = {name: _decoder.decode(value)}
                for path in paths:
                    item_paths.replace(inside, path, self._masked)
                attributes[name] = msgspec.Raw(msgspec.json.encode(inside[name]))
        return attributes


def masked(key: bytes, value: dict[str, Any]) -> dict[str, str]:
    """The value that stands for another one.

    :param value: ``{type: value}``
    :returns: ``{"S": hexadecimal digits}``
    :raises MalformedItemError: it is no DynamoDB JSON
    """
    try:
        form = encoded(_form(value))
    except (ArithmeticError, AttributeError, RecursionError, TypeError, ValueError) as exc:
        raise MalformedItemError(f"an attribute that is no DynamoDB JSON ({type(exc).__name__})") from exc
    return {"S": hmac.digest(key, form, "sha256").hex()}


def _form(value: dict[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    made = _FORMS.get(kind)
    return value if made is None else {kind: made(content)}


def _plain(number: str) -> str:
    normal = normal_number(number)
    return format(Decimal(normal), "f") if "E" in normal else normal


_FORMS: dict[str, Callable[[Any], Any]] = {
    "M": lambda content: {name: _form(value) for name, value in content.items()},
    "L": lambda content: [_form(each) for each in content],
    "N": _plain,
    "NS": lambda content: sorted(map(_plain, content)),
    "SS": sorted,
    "BS": sorted,
}
