"""Condition expressions: which are taken, what is said of the others, and of which items they are true."""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec
import pytest

from processor.errors import MalformedItemError
from processor.view.condition.condition import ConditionError, parse, underlined
from tests.oracle.expressions import ACCEPTED, NAMES, REFUSED, VALUES

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_DEEP_LIST: dict[str, Any] = {"S": "x"}
for _ in range(33):
    _DEEP_LIST = {"L": [_DEEP_LIST]}
BAD_VALUES = {
    "no type": {},
    "two types": {"S": "a", "N": "1"},
    "an unknown type": {"X": "a"},
    "no object": "a",
    "a number that is no string": {"N": 1},
    "no number": {"N": "one"},
    "digits of another script": {"N": "\u0661"},
    "39 digits": {"N": "1" * 39},
    "too great": {"N": "1E126"},
    "too small": {"N": "1E-131"},
    "an endless exponent": {"N": "1E" + "9" * 1000},
    "no base64": {"B": "!"},
    "an empty set": {"SS": []},
    "a member twice": {"NS": ["1", "1.0"]},
    "NULL that is false": {"NULL": False},
    "BOOL that is a string": {"BOOL": "true"},
    "a list that is none": {"L": {}},
    "a map that is none": {"M": []},
    "an empty name in a map": {"M": {"": {"S": "x"}}},
    "33 levels": _DEEP_LIST,
}


def _matches(text: str, item: dict[str, Any], values: dict[str, Any] | None = None) -> bool:
    return parse(text, NAMES, VALUES if values is None else values).matches(_decode(json.dumps(item).encode()))


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_dynamodb_takes(text: str) -> None:
    """It is parsed, and can be asked of an item that has nothing of it."""
    assert parse(text, NAMES, VALUES).matches({}) in {True, False}


@pytest.mark.parametrize("text", REFUSED)
def test_what_dynamodb_refuses(text: str) -> None:
    """The error says what is wrong, and at which place."""
    position, words = REFUSED[text]
    with pytest.raises(ConditionError) as caught:
        parse(text, NAMES, VALUES)
    assert caught.value.position == position
    assert caught.value.message.startswith(words)


@pytest.mark.parametrize(
    ("text", "words"),
    {
        ".".join("a" * 33) + " = :n": "a path has at most 32 levels",
        " OR ".join(["a=:n"] * 151): "an expression has at most 300 operators",
        "NOT " * 300 + "a=:n": "an expression has at most 300 operators",
        "a IN (" + ",".join([":n"] * 101) + ")": "IN takes at most 100 operands",
        "a = :n".ljust(4097): "an expression has at most 4096 bytes",
        "\u00e9" * 2049: "an expression has at most 4096 bytes",
        "a[" + "9" * 4000 + "] = :n": "an index is at most",
    }.items(),
)
def test_bounds(text: str, words: str) -> None:
    """DynamoDB's bounds are this project's."""
    with pytest.raises(ConditionError, match=words):
        parse(text, NAMES, VALUES)


@pytest.mark.parametrize(
    "piece", ["(", "NOT (", "size(", "(a OR ", "contains(a,", "a.", "a[", ")", "((a)=", "a=:n OR("]
)
def test_depth_never_overflows(piece: str) -> None:
    """Text of any depth is refused by name, also where little is left of Python's stack."""

    def deeper(left: int) -> None:
        if left:
            deeper(left - 1)
        else:
            with pytest.raises(ConditionError):
                parse((piece * 4096)[:4096], NAMES, VALUES)

    deeper(sys.getrecursionlimit() - 700)


def test_the_deepest_condition_can_be_asked() -> None:
    """What DynamoDB's bounds let through needs little of Python's stack."""
    text = "a=:n"
    for _ in range(99):
        text = f"NOT (c=:n OR {text})"
    condition = parse(text, NAMES, VALUES)

    def deeper(left: int) -> bool:
        return deeper(left - 1) if left else condition.matches({})

    assert deeper(sys.getrecursionlimit() - 500) is True


@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=BAD_VALUES)
def test_values_that_dynamodb_refuses(value: Any) -> None:
    """They are refused where the expression uses them, without being shown."""
    with pytest.raises(ConditionError) as caught:
        parse("a = :v", {}, {":v": value})
    assert caught.value.position == 4
    assert caught.value.message.startswith("the value of :v can't be used")
    assert "999" not in caught.value.message


def test_what_it_used() -> None:
    """Scan is to be given what the expression uses, and no more; a preflight names the rest."""
    condition = parse("#a.b = :n AND c < :m", {**NAMES, "#z": "z"}, VALUES)
    assert condition.attributes == {"a", "c"}
    assert condition.nested == {"a"}
    assert condition.operators == 3
    assert condition.names == {"#a": "a"}
    assert condition.values == {":n": {"N": "5"}, ":m": {"N": "6"}}
    assert condition.unused_names == {"#c", "#i", "#z"}
    assert condition.unused_values == VALUES.keys() - {":n", ":m"}


def test_nothing_else_is_decoded() -> None:
    """An attribute that the expression doesn't name may be anything."""
    item = {"a": msgspec.Raw(b'{"N":"5"}'), "c": msgspec.Raw(b"never looked at")}
    assert parse("a = :n", {}, VALUES).matches(item)


@pytest.mark.parametrize(
    "attribute",
    [
        b"",
        b"5",
        b"{}",
        b'{"N":5}',
        b'{"N":"x"}',
        b'{"N":"NaN"}',
        b'{"X":"a"}',
        b'{"L":"a"}',
        b'{"M":[]}',
        b'{"S":"a","N":"1"}',
    ],
)
@pytest.mark.parametrize("text", ["a = :n", "a[0] = :n OR a.b = :n OR a = :n", "size(a) > :n", "contains(a, :n)"])
def test_an_item_that_is_none(text: str, attribute: bytes) -> None:
    """It is no match and no mismatch, but an error."""
    with pytest.raises(MalformedItemError):
        parse(text, {}, VALUES).matches({"a": msgspec.Raw(attribute)})


@pytest.mark.parametrize(
    ("text", "item", "expected"),
    [
        ("a = :n", {"a": {"N": "5.0"}}, True),
        ("a = :n", {"a": {"S": "5"}}, False),
        ("a <> :n", {}, True),
        ("NOT a = :n", {}, True),
        ("a < :n", {}, False),
        ("NOT a < :n", {}, True),
        ("a = :n OR c = :n AND b = :n", {"a": {"N": "5"}}, True),
        ("(a = :n OR c = :n) AND b = :n", {"a": {"N": "5"}}, False),
        ("NOT a = :n AND c = :n", {"c": {"N": "5"}}, True),
        ("size(a) = :n", {"a": {"S": "\U0001d11e\U0001d11ex"}}, True),
        ("a.b[1] = :n", {"a": {"M": {"b": {"L": [{"S": ""}, {"N": "5"}]}}}}, True),
        ("a.b[1] = :n", {"a": {"M": {"b": {"L": []}}}}, False),
        ("attribute_not_exists(a.b)", {"a": {"S": "b"}}, True),
        ("contains(a, :n)", {"a": {"NS": ["4", "5.0"]}}, True),
        ("contains(a, :s)", {"a": {"M": {"hello": {"S": "hello"}}}}, False),
    ],
)
def test_a_few_that_everybody_writes(text: str, item: dict[str, Any], *, expected: bool) -> None:
    """DynamoDB Local is asked of many more, by tests/oracle."""
    assert _matches(text, item) is expected


def test_numbers_are_exact() -> None:
    """The last of 38 digits counts."""
    item = {"a": {"N": "1" * 38}}
    assert _matches("a < :v", item, {":v": {"N": "1" * 37 + "2"}})
    assert not _matches("a = :v", item, {":v": {"N": "1" * 37 + "2"}})


def test_strings_are_ordered_by_their_utf8() -> None:
    """In UTF-16 it would be the other way round."""
    assert _matches("a > :v", {"a": {"S": "\U0001d11e"}}, {":v": {"S": "\ufffd"}})


def test_a_caret_stands_under_the_place() -> None:
    """Of a long text only what is around it is shown, and nothing that a terminal would obey."""
    assert underlined("a = b c", 6) == "a = b c\n      ^"
    assert underlined("a\n\x1b= b", 2) == "a  = b\n  ^"
    shown, caret = underlined("x" * 500 + "!" + "y" * 500, 500).split("\n")
    assert len(shown) < 130
    assert shown[caret.index("^")] == "!"
