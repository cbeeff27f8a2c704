"""Attributes that have other names at the destination."""

from __future__ import annotations

import pytest

from processor.errors import UnviewableError
from processor.view.renaming import Renaming
from tests.unit.view.test_projection import attributes_of, item_of

A, B, C = {"S": "a"}, {"S": "b"}, {"S": "c"}


@pytest.mark.parametrize(
    ("names", "item", "renamed"),
    [
        ({"a": "x"}, {"id": A, "a": B}, {"id": A, "x": B}),
        ({"a": "x"}, {"id": A, "b": B}, {"id": A, "b": B}),
        ({"a": "b", "b": "a"}, {"a": A, "b": B}, {"b": A, "a": B}),
        ({"a": "b", "b": "c"}, {"a": A, "b": B}, {"b": A, "c": B}),
    ],
)
def test_all_at_once(names: dict[str, str], item: dict[str, object], renamed: dict[str, object]) -> None:
    """Two may change places."""
    assert item_of(Renaming(names)(attributes_of(item))) == renamed


@pytest.mark.parametrize(("names", "taken"), [({"a": "b"}, "b"), ({"a": "b", "b": "c"}, "c")])
def test_no_attribute_takes_the_place_of_another(names: dict[str, str], taken: str) -> None:
    """Its value would be lost in silence; the message says how to say that it may be."""
    with pytest.raises(UnviewableError, match=f"an attribute {taken} already.*excludeAttributes"):
        Renaming(names)(attributes_of({"a": A, "b": B, "c": C}))
