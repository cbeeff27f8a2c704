"""Values that become a keyed hash."""

from __future__ import annotations

import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.dynamodb.items import same_value
from processor.settings.attribute_paths import parse
from processor.view.mask import Mask, masked
from tests.unit.view.test_projection import attributes_of, item_of

KEY = b"0123456789abcdef"
_SCALARS = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=3)),
    st.builds(lambda number: {"N": str(number)}, st.integers(-12, 12)),
    st.builds(lambda truth: {"BOOL": truth}, st.booleans()),
    st.builds(lambda texts: {"SS": texts}, st.lists(st.sampled_from("abc"), min_size=1, unique=True)),
)
VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda values: {"L": values}, st.lists(inner, max_size=3)),
        st.builds(lambda values: {"M": values}, st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    ),
    max_leaves=5,
)
# They must never change: hashes that were made by an earlier version would not be equal to new ones. Each is what
#     printf %s '{"S":"ada@example.com"}' | openssl dgst -sha256 -hmac 0123456789abcdef
# says.
VECTORS = {
    '{"S":"ada@example.com"}': {"S": "ada@example.com"},
    '{"S":"Zoë \\"quoted\\"\\n"}': {"S": 'Zoë "quoted"\n'},
    '{"N":"1"}': {"N": "1.0"},
    '{"N":"100"}': {"N": "1E+2"},
    '{"N":"-0.001"}': {"N": "-1E-3"},
    '{"BOOL":true}': {"BOOL": True},
    '{"SS":["a","b"]}': {"SS": ["b", "a"]},
    '{"NS":["1","2"]}': {"NS": ["2.0", "1"]},
    '{"M":{"a":{"N":"1"},"b":{"S":"x"}}}': {"M": {"b": {"S": "x"}, "a": {"N": "1.00"}}},
    '{"L":[{"S":"b"},{"S":"a"}]}': {"L": [{"S": "b"}, {"S": "a"}]},
}


@pytest.mark.parametrize("form", VECTORS)
def test_the_canonical_form(form: str) -> None:
    """The hash is that of the form in the docs, made by anybody who has the key."""
    assert masked(KEY, VECTORS[form]) == {"S": hmac.new(KEY, form.encode(), "sha256").hexdigest()}


def test_one_hash_as_openssl_makes_it() -> None:
    """Not by this program's own words alone."""
    known = "83b1209e1acdee0a5ff396462fd4576024488eba31b550fa03d07f3abb78db28"
    assert masked(KEY, {"S": "ada@example.com"}) == {"S": known}


EQUAL = [
    ({"N": "1"}, {"N": "10E-1"}),
    ({"N": "-0"}, {"N": "0"}),
    ({"NS": ["1", "2"]}, {"NS": ["2.0", "1.0"]}),
    ({"BS": ["YQ==", "Yg=="]}, {"BS": ["Yg==", "YQ=="]}),
    ({"M": {"a": {"N": "1"}, "b": {"S": ""}}}, {"M": {"b": {"S": ""}, "a": {"N": "1.0"}}}),
    ({"L": [{"SS": ["a", "b"]}]}, {"L": [{"SS": ["b", "a"]}]}),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal_values_have_equal_hashes(one: Any, other: Any) -> None:
    """So masked tables can be joined."""
    assert masked(KEY, one) == masked(KEY, other)


@given(one=VALUES, other=VALUES)
def test_unequal_values_have_unequal_hashes(one: Any, other: Any) -> None:
    """Of two values, whatever they are; and another key makes another hash."""
    assert (masked(KEY, one) == masked(KEY, other)) == same_value(one, other)
    assert masked(KEY, one) != masked(KEY[::-1], one)


@given(value=st.sampled_from(["1", "true", "", "YQ=="]))
def test_a_type_is_part_of_a_value(value: str) -> None:
    """A number is not the text of it."""
    kinds = [{"S": value}, {"SS": [value]}, {"L": [{"S": value}]}, {"B": value}]
    assert len({masked(KEY, kind)["S"] for kind in kinds}) == len(kinds)


def test_what_stands_at_the_paths_is_masked() -> None:
    """Whole attributes, and within maps and lists; nothing else is touched."""
    item = {
        "id": {"S": "a"},
        "email": {"S": "e"},
        "p": {"M": {"phone": {"N": "1.0"}, "x": {"S": "y"}}},
        "l": {"L": [{"S": "0"}, {"M": {"q": {"S": "1"}}}]},
    }
    seen = item_of(Mask(parse("email,p.phone,l[1].q,none,l[7],email.x"), KEY)(attributes_of(item)))
    assert seen == {
        "id": {"S": "a"},
        "email": masked(KEY, {"S": "e"}),
        "p": {"M": {"phone": masked(KEY, {"N": "1"}), "x": {"S": "y"}}},
        "l": {"L": [{"S": "0"}, {"M": {"q": masked(KEY, {"S": "1"})}}]},
    }
