"""Nothing of an item is lost on its way through the replicator."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processor.dynamodb.keys import key_identity, normal_number
from processor.replication.change import bytes_of
from tests.fakes.dynamodb.changes import decode
from tests.fakes.streams.stream_record import stream_record

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
BINARIES = st.binary(max_size=8).map(lambda data: base64.b64encode(data).decode())
DIGITS = st.integers(1, 10**38 - 1)
NUMBERS = st.builds(
    lambda sign, digits, exponent: f"{sign}{digits}E{exponent}",
    st.sampled_from(["", "-"]),
    DIGITS,
    st.integers(-120, 80),
)
SCALARS = st.one_of(
    st.builds(lambda value: {"S": value}, TEXTS),
    st.builds(lambda value: {"N": value}, NUMBERS),
    st.builds(lambda value: {"B": value}, BINARIES),
)
LEAVES = st.one_of(
    SCALARS,
    st.builds(lambda value: {"BOOL": value}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda value: {"SS": value}, st.lists(TEXTS, min_size=1, max_size=3, unique=True)),
    st.builds(lambda value: {"NS": value}, st.lists(NUMBERS, min_size=1, max_size=3, unique=True)),
    st.builds(lambda value: {"BS": value}, st.lists(BINARIES, min_size=1, max_size=3, unique=True)),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda value: {"L": value}, st.lists(inner, max_size=3)),
        st.builds(lambda value: {"M": value}, st.dictionaries(TEXTS, inner, max_size=3)),
    ),
    max_leaves=10,
)
KEYS = st.dictionaries(st.text("abcé", min_size=1, max_size=3), SCALARS, min_size=1, max_size=2)


def _notations(number: Decimal) -> list[str]:
    """One number as different writers write it."""
    sign, digits, exponent = number.as_tuple()
    text, minus = "".join(map(str, digits)), "-" * sign
    return [
        f"{minus}{text}e{exponent:+d}",
        f"{minus}{text}000E{int(exponent) - 3}",
        f"{minus}00{text}.0E{exponent}",
        f"{number:f}",
    ]


@given(key=KEYS, image=st.dictionaries(TEXTS, VALUES, max_size=4), ascii_only=st.booleans())
def test_an_image_comes_out_byte_for_byte(key: dict[str, Any], image: dict[str, Any], *, ascii_only: bool) -> None:
    """Whatever DynamoDB JSON an image is, and however its writer escaped and spaced it, the same bytes are written."""
    item = json.dumps(image | key, ensure_ascii=ascii_only)
    record = json.loads(stream_record("MODIFY", 1, key=key, new={}, old={}).data)
    record["dynamodb"]["NewImage"] = "HERE"
    data = json.dumps(record, ensure_ascii=ascii_only).replace('"HERE"', item).encode()
    change = decode(data)
    assert item.encode() == bytes_of(change)
    assert json.dumps(key, ensure_ascii=ascii_only).encode() == bytes(change.key)


@given(digits=DIGITS, exponent=st.integers(-120, 80), negative=st.booleans(), data=st.data())
def test_equal_numbers_are_one_key(digits: int, exponent: int, *, negative: bool, data: st.DataObject) -> None:
    """A key's number is the same key in every notation, to its 38th digit."""
    number = Decimal(digits).scaleb(exponent).copy_sign(Decimal(-1 if negative else 1))
    one, other = (data.draw(st.sampled_from(_notations(number))) for _ in range(2))
    assert Decimal(one) == Decimal(other)
    assert key_identity({"k": {"N": one}}) == key_identity({"k": {"N": other}})


@given(number=st.from_regex(r"-?[0-9]{1,40}(\.[0-9]{0,20})?", fullmatch=True))
def test_a_number_has_one_form(number: str) -> None:
    """The short way, for numbers in their usual notation, ends where the long way does, which one with E takes."""
    assert normal_number(number) == normal_number(f"{number}E0")


@given(one=KEYS, other=KEYS | st.none(), data=st.data())
def test_different_keys_are_never_one(one: dict[str, Any], other: dict[str, Any] | None, data: st.DataObject) -> None:
    """Identities are equal where names, types and values are, in whatever order, and nowhere else."""
    if other is None:  # a near miss: the same key in another order, with one character changed or none
        other = dict(reversed(one.items()))
        name, character = data.draw(st.sampled_from(sorted(other))), data.draw(st.sampled_from("0123456789"))
        ((kind, value),) = other[name].items()
        mantissa, separator, exponent = value.rpartition("E") if kind == "N" else (value, "", "")
        other[name] = {kind: f"{mantissa[:-1]}{character}{separator}{exponent}"}
    assert (_value(one) == _value(other)) == (key_identity(one) == key_identity(other))


def _value(key: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    pairs = {name: next(iter(value.items())) for name, value in key.items()}
    return {name: (kind, Decimal(value) if kind == "N" else value) for name, (kind, value) in pairs.items()}
