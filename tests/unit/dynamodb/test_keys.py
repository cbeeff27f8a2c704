"""Keys, taken out of items."""

from __future__ import annotations

import msgspec
import pytest

from processor.dynamodb.keys import key_reader

ITEM = msgspec.Raw(b'{"%s":{"N": "1.0"},"o":{"M":{"id":{"S":"x"}}},"\\u00e9":{"B":"/w=="},"\\"":{"S":"\\""}}')


def test_a_key_of_two_parts() -> None:
    """Its values byte for byte, in the key schema's order, whatever the item's."""
    assert bytes(key_reader(["é", "%s"])(ITEM)) == '{"é":{"B":"/w=="},"%s":{"N": "1.0"}}'.encode()


def test_a_name_that_is_quoted() -> None:
    """DynamoDB allows any name."""
    assert bytes(key_reader(['"'])(ITEM)) == rb'{"\"":{"S":"\""}}'


@pytest.mark.parametrize("item", [b"{}", b'{"sort":{"S":"1"}}', b"[]", b"{"])
@pytest.mark.parametrize("name", ["id", '"id'])
def test_no_key(item: bytes, name: str) -> None:
    """An item without it is refused."""
    with pytest.raises(ValueError, match=f"without the key {name}, sort"):
        key_reader([name, "sort"])(msgspec.Raw(item))
