"""What a matcher passes over changes no sum, whatever two scans give, and in whatever order."""

from __future__ import annotations

import json
from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from processor.commands.verify.canonical_form import CanonicalForm
from processor.commands.verify.digests import BucketDigests, Digests, Role, bucket_count
from processor.commands.verify.matcher import Matcher

FORM = CanonicalForm(["id"], salt=b"salt")
# Few items, so that many meet: of each key one of two values, and now and then one that comes twice.
NAMES = st.tuples(st.integers(0, 12), st.integers(0, 1))
PAGES = st.lists(st.lists(NAMES, max_size=4), max_size=6)


def _raw(name: tuple[int, int]) -> msgspec.Raw:
    number, value = name
    return msgspec.Raw(json.dumps({"id": {"S": str(number)}, "value": {"N": str(value)}}).encode())


def _differing(found: list[tuple[Role, msgspec.Raw]]) -> list[int]:
    buckets, digests = BucketDigests(bucket_count(0)), Digests()
    for role, item in found:
        digests.add(role, [FORM.digest(item)])
    buckets.add(digests)
    return buckets.differing()


@given(source=PAGES, destination=PAGES, flushes=st.sets(st.integers(0, 11)))
def test_the_same_buckets_differ(
    source: list[list[tuple[int, int]]], destination: list[list[tuple[int, int]]], flushes: set[int]
) -> None:
    """As if each item had its digest; nothing waits in the end, and each table has as many that were paired."""
    left: dict[Role, list[list[tuple[int, int]]]] = {"source": source[:], "destination": destination[:]}
    matcher, passed = Matcher(), list[tuple[Role, msgspec.Raw]]()
    step = 0
    while any(left.values()):
        role = matcher.behind()
        role = role if left[role] else next(each for each in left if left[each])
        for each, items in matcher.add(role, list(map(_raw, left[role].pop(0)))).items():
            passed += [(each, item) for item in items]
        if step in flushes:
            passed += [(each, item) for each, items in matcher.flush().items() for item in items]
            assert matcher.waiting == 0
        step += 1
    passed += [(each, item) for each, items in matcher.flush().items() for item in items]
    whole: list[tuple[Role, msgspec.Raw]] = [("source", _raw(name)) for page in source for name in page]
    whole += [("destination", _raw(name)) for page in destination for name in page]
    assert _differing(passed) == _differing(whole)
    for table in ("source", "destination"):
        counts = [Counter(role for role, _ in items)[table] for items in (whole, passed)]
        assert counts[0] - counts[1] == matcher.matched


@given(
    table=st.lists(NAMES, unique_by=lambda name: name[0], max_size=13),
    cuts=st.lists(st.integers(1, 5), min_size=1),
    missing=st.sets(st.integers(0, 12), max_size=3),
)
def test_pages_in_one_order_need_few_digests(table: list[tuple[int, int]], cuts: list[int], missing: set[int]) -> None:
    """However they are cut: what both have is paired."""
    left: dict[Role, list[tuple[int, int]]] = {
        "source": table[:],
        "destination": [name for name in table if name[0] not in missing],
    }
    both = len(left["destination"])
    matcher, step = Matcher(), 0
    while any(left.values()):
        role = matcher.behind()
        role = role if left[role] else next(each for each in left if left[each])
        count = cuts[step % len(cuts)]
        matcher.add(role, list(map(_raw, left[role][:count])))
        left[role] = left[role][count:]
        step += 1
    assert matcher.matched == both
