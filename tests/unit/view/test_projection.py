"""Which attributes are kept, and what of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from processor.settings.attribute_paths import parse
from processor.view.projection import Attributes, Exclusion, Inclusion

ITEM: dict[str, Any] = {
    "id": {"S": "a"},
    "name": {"S": "Ada"},
    "n": {"N": "1.0"},
    "profile": {"M": {"phone": {"S": "1"}, "address": {"M": {"zip": {"N": "7"}, "city": {"S": "x"}}}}},
    "lines": {"L": [{"M": {"sku": {"S": "s0"}, "q": {"N": "1"}}}, {"S": "one"}, {"L": [{"S": "deep"}, {"N": "2"}]}]},
}


def attributes_of(item: Any) -> Attributes:
    """An item, one level decoded."""
    return msgspec.json.decode(msgspec.json.encode(item), type=Attributes)


def item_of(attributes: Attributes) -> Any:
    """The same, back."""
    return msgspec.json.decode(msgspec.json.encode(attributes))


KEPT: dict[str, Any] = {
    "name": {"name": ITEM["name"]},
    "name,nothing": {"name": ITEM["name"]},
    "profile": {"profile": ITEM["profile"]},
    "profile.address.zip": {"profile": {"M": {"address": {"M": {"zip": {"N": "7"}}}}}},
    "profile.address,profile.address.zip": {"profile": {"M": {"address": ITEM["profile"]["M"]["address"]}}},
    "profile.address.zip,profile.address": {"profile": {"M": {"address": ITEM["profile"]["M"]["address"]}}},
    "lines[2],lines[0].sku": {
        "lines": {"L": [{"M": {"sku": {"S": "s0"}}}, ITEM["lines"]["L"][2]]},
    },
    "lines[2][1]": {"lines": {"L": [{"L": [{"N": "2"}]}]}},
    "lines[9],name.x,profile[0],lines.sku,profile.none.zip": {},
    "id.x": {},
}


@pytest.mark.parametrize("text", KEPT)
def test_what_is_included(text: str) -> None:
    """Nothing but that, and the key; what leads nowhere adds nothing."""
    kept = item_of(Inclusion(parse(text), ["id"])(attributes_of(ITEM)))
    assert kept == {"id": ITEM["id"], **KEPT[text]}


LEFT: dict[str, Any] = {
    "name,n": {name: ITEM[name] for name in ("id", "profile", "lines")},
    "profile.address,lines,name,n": {"id": ITEM["id"], "profile": {"M": {"phone": {"S": "1"}}}},
    "profile.phone,profile.address.zip,lines,name,n": {
        "id": ITEM["id"],
        "profile": {"M": {"address": {"M": {"city": {"S": "x"}}}}},
    },
    "lines[0],lines[2][0],name,n,profile": {"id": ITEM["id"], "lines": {"L": [{"S": "one"}, {"L": [{"N": "2"}]}]}},
    "nothing,name.x,profile[0],lines[9]": ITEM,
}


@pytest.mark.parametrize("text", LEFT)
def test_what_is_excluded(text: str) -> None:
    """All but that, whatever the order of the paths."""
    assert item_of(Exclusion(parse(text))(attributes_of(ITEM))) == LEFT[text]
    assert item_of(Exclusion(list(reversed(parse(text))))(attributes_of(ITEM))) == LEFT[text]


def test_what_is_not_named_keeps_its_bytes() -> None:
    """No number loses its notation, for it is not decoded."""
    raw = msgspec.Raw(b'{"id":{"S":"a"},"n" : { "N":"1.0E+0" },"name":{"S":"Ada"}}')
    attributes = msgspec.json.decode(raw, type=Attributes)
    assert bytes(Exclusion(parse("name"))(attributes)["n"]) == b'{ "N":"1.0E+0" }'


def test_a_path_into_a_list_of_thousands() -> None:
    """The last of them, at no other cost than the list's own."""
    item = {"id": {"S": "a"}, "l": {"L": [{"N": str(number)} for number in range(5000)]}}
    assert item_of(Inclusion(parse("l[4999]"), ["id"])(attributes_of(item)))["l"] == {"L": [{"N": "4999"}]}
    assert len(item_of(Exclusion(parse("l[0],l[4999]"))(attributes_of(item)))["l"]["L"]) == 4998
