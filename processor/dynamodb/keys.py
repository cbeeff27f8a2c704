"""Extracts an item's key from its bytes, and compares keys. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Context

import msgspec

from processor.errors import MalformedItemError
from processor.flow import shapes

# A number in DynamoDB has up to 38 significant digits.
_EXACT = Context(prec=38)
# A field of a msgspec.Struct can't have a name with one of these characters.
_UNUSUAL = re.compile(r'[\\"\x00-\x1f]')
_decoder = shapes.decoder(dict[str, dict[str, str]])


def key_reader(names: Sequence[str]) -> Callable[[msgspec.Raw], msgspec.Raw]:
    """A function from an item to its key, both DynamoDB JSON.

    :param names: the key's attributes, one or two; the function raises ``MalformedItemError`` for an item without them
    """
    parts_of = _from_any(names) if any(map(_UNUSUAL.search, names)) else _from_usual(names)
    template = b"{%b}" % b",".join(msgspec.json.encode(name).replace(b"%", b"%%") + b":%b" for name in names)

    def read(item: msgspec.Raw) -> msgspec.Raw:
        try:
            return msgspec.Raw(template % tuple(map(bytes, parts_of(item))))
        except (msgspec.DecodeError, KeyError, RecursionError, UnicodeDecodeError) as exc:
            raise MalformedItemError(f"an item without the key {', '.join(names)} ({type(exc).__name__})") from exc

    return read


def _from_usual(names: Sequence[str]) -> Callable[[msgspec.Raw], Sequence[msgspec.Raw]]:
    """Several times as fast as the general way, because the decoder skips the other attributes."""
    fields = [f"part_{number}" for number in range(len(names))]
    shape = msgspec.defstruct(
        "Key", [(field, msgspec.Raw) for field in fields], rename=dict(zip(fields, names, strict=True))
    )
    decode = shapes.decoder(shape).decode
    return lambda item: msgspec.structs.astuple(decode(item))


def _from_any(names: Sequence[str]) -> Callable[[msgspec.Raw], Sequence[msgspec.Raw]]:
    decode = shapes.decoder(dict[str, msgspec.Raw]).decode

    def parts_of(item: msgspec.Raw) -> Sequence[msgspec.Raw]:
        attributes = decode(item)
        return [attributes[name] for name in names]

    return parts_of


def decode_key(key: msgspec.Raw) -> dict[str, dict[str, str]]:
    """A key of DynamoDB JSON as ``{name: {type: value}}``, binary values as base64 text.

    :raises msgspec.DecodeError: it is not a key
    """
    return _decoder.decode(key)


def identity_of(key: msgspec.Raw) -> bytes:
    """Bytes that are equal for equal keys, see :func:`key_identity`.

    :param key: DynamoDB JSON
    :raises MalformedItemError: it is not a key
    """
    try:
        return key_identity(decode_key(key))
    except (msgspec.DecodeError, ArithmeticError, RecursionError, ValueError) as exc:
        raise MalformedItemError(f"a key that can't be understood ({type(exc).__name__})") from exc


def normal_number(value: str) -> str:
    """The same text for equal numbers: 1.0, 1 and 10E-1.

    :raises ArithmeticError: it is not a number
    """
    whole, point, fraction = value.partition(".")
    if (
        len(value) <= _EXACT.prec
        and whole.isdecimal()
        and whole[0] != "0"
        and (fraction.isdecimal() if point else whole[-1] != "0")
        and value[-1] != "0"
        and value.isascii()
    ):
        return value  # the usual case, at a fraction of the cost
    return str(_EXACT.plus(_EXACT.create_decimal(value)).normalize(_EXACT))


def key_identity(key: dict[str, dict[str, str]]) -> bytes:
    """Bytes that are equal for equal keys: attribute order and a number's notation (1.0, 1, 10E-1) don't matter.

    :param key: ``{name: {type: value}}``, binary values as base64 text
    :raises ArithmeticError: a number attribute does not hold a number
    """
    parts = []
    for name in sorted(key):
        ((kind, value),) = key[name].items()
        parts.append((name, kind, normal_number(value) if kind == "N" else value))
    return msgspec.json.encode(parts)
