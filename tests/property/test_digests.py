"""Digests find every difference, and nothing else."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.commands.verify.canonical_form import CanonicalForm
from processor.commands.verify.diff import differences
from processor.commands.verify.digests import BucketDigests, DifferingBuckets, Digests, Role, bucket_count
from processor.dynamodb.keys import key_identity
from tests.property.test_records_round_trip import NUMBERS, TEXTS, VALUES

KEYS = st.fixed_dictionaries({"pk": st.builds(lambda value: {"N": value}, NUMBERS)})
ITEMS = st.builds(lambda key, rest: rest | key, KEYS, st.dictionaries(TEXTS, VALUES, max_size=4))
TABLES = st.lists(ITEMS, max_size=5, unique_by=lambda item: key_identity({"pk": item["pk"]}))
FORM = CanonicalForm(["pk"], ignored=[("ignored",), ("deep", 0, "ignored")], salt=b"salt")


def _raw(item: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(item).encode())


def _rewritten(item: Any, chance: random.Random) -> Any:
    """The same item, as another writer may have it."""
    attributes = [(name, _value(value, chance)) for name, value in item.items()]
    chance.shuffle(attributes)
    return dict(attributes)


def _value(value: Any, chance: random.Random) -> Any:
    ((kind, content),) = value.items()
    if kind == "M":
        return {"M": _rewritten(content, chance)}
    if kind == "L":
        return {"L": [_value(each, chance) for each in content]}
    if kind in ("SS", "NS", "BS"):
        return {kind: chance.sample([_value({kind[0]: each}, chance)[kind[0]] for each in content], len(content))}
    if kind == "N":
        digits, _, exponent = content.partition("E")
        return {"N": chance.choice([content, f"{digits}.0E{exponent}", f"{digits}00E{int(exponent or 0) - 2}"])}
    return value


def _compared(source: list[Any], destination: list[Any]) -> set[int]:
    """Indexes of the source's suspicious items; half of the digests come by another process."""
    buckets, differing = BucketDigests(bucket_count(0)), DifferingBuckets(bytearray(bucket_count(0)))
    items: list[tuple[Role, Any]] = [("source", item) for item in source]
    items += [("destination", item) for item in destination]
    for some in (items[::2], items[1::2]):
        digests = Digests()
        for role, item in some:
            digests.add(role, [FORM.digest(_raw(item))])
        assert len(digests) == len(some)
        buckets.add(Digests(*digests.packed()))
    differing.mark(buckets.differing())
    return {n for n, item in enumerate(source) if FORM.place(_raw(item)) in differing}


@settings(max_examples=60)
@given(table=TABLES, seed=st.integers(0, 1000))
def test_order_and_notation_are_no_difference(table: list[Any], seed: int) -> None:
    """Neither of items, attributes and set members, nor of numbers; nor is what is ignored."""
    chance = random.Random(seed)
    other = [_rewritten(item, chance) | {"ignored": {"S": str(chance.random())}} for item in table]
    for one, rewritten in zip(table, other, strict=True):
        assert list(differences(_raw(one), _raw(rewritten), ignored=FORM.ignored)) == []
    chance.shuffle(other)
    assert _compared(table, other) == set()


@settings(max_examples=60)
@given(table=TABLES.filter(bool), seed=st.integers(0, 1000), kind=st.sampled_from(["missing", "different", "again"]))
def test_a_planted_difference_is_found(table: list[Any], seed: int, kind: str) -> None:
    """An item less, one that differs, or one that comes again and again makes its own bucket suspicious."""
    chance = random.Random(seed)
    planted = chance.randrange(len(table))
    other = [_rewritten(item, chance) for item in table]
    if kind == "missing":
        del other[planted]
    elif kind == "again":
        other += [other[planted]] * 2
    else:
        other[planted] = other[planted] | {"planted": {"S": "here"}}
        found = list(differences(_raw(table[planted]), _raw(other[planted])))
        assert [(each.path, each.kind) for each in found] == [(("planted",), "extra")]
    assert planted in _compared(table, other)


@given(one=ITEMS, other=ITEMS)
def test_items_are_equal_where_nothing_differs(one: Any, other: Any) -> None:
    """The list of differences is empty exactly where two items count as the same."""
    pair = _raw(one), _raw(other)
    assert FORM.same(*pair) == (not list(differences(*pair, ignored=FORM.ignored)))
    assert FORM.same(*pair) == (FORM.hash(pair[0]) == FORM.hash(pair[1]))


@given(one=ITEMS, other=ITEMS, seed=st.integers(0, 1000))
def test_items_that_are_alike_in_order_are_the_same(one: Any, other: Any, seed: int) -> None:
    """The cheap form misses some that are the same, but takes no two for the same that differ."""
    attributes = [*one.items()]
    random.Random(seed).shuffle(attributes)
    assert FORM.ordered(_raw(one)) == FORM.ordered(_raw(dict(attributes) | {"ignored": {"S": str(seed)}}))
    if FORM.ordered(_raw(one)) == FORM.ordered(_raw(other)):
        assert FORM.same(_raw(one), _raw(other))
