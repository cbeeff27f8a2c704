"""The steps of a view, in their order, and what passes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from processor.errors import MalformedItemError
from processor.metrics import heartbeat
from processor.settings.attribute_paths import parse
from processor.view import assembly, task_view
from processor.view.item_view import ItemView
from processor.view.mask import masked
from tests.fakes.task.tasks import task as settings_of

KEY = "a key of sixteen bytes"
NO_ITEM = msgspec.Raw(b"")


def raw(item: Any) -> msgspec.Raw:
    """An item's bytes."""
    return msgspec.Raw(json.dumps(item).encode())


def view_of(monkeypatch: pytest.MonkeyPatch, **settings: str) -> ItemView:
    """The view of these settings."""
    monkeypatch.setenv("MASK", KEY)
    made = task_view.view_of(settings_of(**settings), {"id": "S"})
    assert made is not None
    return made


def seen(view: ItemView, item: Any) -> Any:
    """What it makes of an item."""
    found = view(raw(item))
    return None if found is None else json.loads(bytes(found))


def test_without_a_setting_there_is_none() -> None:
    """And a task's items stay the bytes they are."""
    assert task_view.view_of(settings_of(), {"id": "S"}) is None
    assert task_view.digest_of(settings_of()) == ""


def test_all_steps_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are the source's names; what is set stands unmasked, in place of what was there."""
    view = view_of(
        monkeypatch,
        filter="attribute_exists(email)",
        excludeAttributes="photo,note",
        maskAttributes="email",
        maskKey="env:MASK",
        renameAttributes="email=mail,ts=at",
        setAttributes='{"at2": {"S": "x"}, "region": {"S": "eu"}}',
    )
    item = {"id": {"S": "a"}, "email": {"S": "e"}, "photo": {"B": "YQ=="}, "ts": {"N": "1"}, "region": {"S": "us"}}
    assert seen(view, item) == {
        "id": {"S": "a"},
        "mail": masked(KEY.encode(), {"S": "e"}),
        "at": {"N": "1"},
        "at2": {"S": "x"},
        "region": {"S": "eu"},
    }
    assert seen(view, {"id": {"S": "a"}}) is None


LINES = {"L": [{"M": {"sku": {"S": f"s{n}"}, "email": {"S": f"e{n}"}}} for n in range(3)]}


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ({"excludeAttributes": "lines[0]"}, ["s1 masked1", "s2 e2"]),
        ({"excludeAttributes": "lines[0],lines[1].sku"}, ["- masked1", "s2 e2"]),
        ({"excludeAttributes": "lines[1].email"}, ["s0 e0", "s1 -", "s2 e2"]),
        ({"excludeAttributes": "lines[1]"}, ["s0 e0", "s2 e2"]),
        ({"includeAttributes": "lines[1]"}, ["s1 masked1"]),
        ({"includeAttributes": "lines[1].email,lines[2].sku"}, ["- masked1", "s2 -"]),
        ({"includeAttributes": "lines[0].none,lines[1].email"}, ["- masked1"]),
        ({"includeAttributes": "lines"}, ["s0 e0", "s1 masked1", "s2 e2"]),
    ],
)
def test_a_mask_goes_by_the_positions_of_the_source(
    kept: dict[str, str], shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of the list is left out: else a value would stand there that nobody may see."""
    view = view_of(monkeypatch, **kept, maskAttributes="lines[1].email", maskKey="env:MASK")
    found = seen(view, {"id": {"S": "a"}, "lines": LINES})["lines"]["L"]
    hidden = masked(KEY.encode(), {"S": "e1"})["S"]
    lines = [" ".join(line["M"].get(name, {"S": "-"})["S"] for name in ("sku", "email")) for line in found]
    assert [line.replace(hidden, "masked1") for line in lines] == shown


@pytest.mark.parametrize(
    "kept", [{"excludeAttributes": "lines[0].sku,lines[2]"}, {"includeAttributes": "lines[0].email,lines[1]"}]
)
def test_what_is_left_out_of_a_masked_value_is_not_hashed(
    kept: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the hash is that of what is left."""
    view = view_of(monkeypatch, **kept, maskAttributes="lines[0]", maskKey="env:MASK")
    found = seen(view, {"id": {"S": "a"}, "lines": LINES})["lines"]["L"]
    assert found == [masked(KEY.encode(), {"M": {"email": {"S": "e0"}}}), LINES["L"][1]]


def test_a_filter_alone_leaves_the_bytes_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what is written."""
    view = view_of(monkeypatch, filter="attribute_exists(a)")
    item = msgspec.Raw(b'{ "id" : {"S":"a"},"a":{"N":"1.0"} }')
    assert view(item) is item


@pytest.mark.parametrize(
    "key_types", [{"id": "S"}, {"id": "N"}, {"id": "B"}, {"id": "S", "r": "N"}, {"id": "N", "r": "B"}]
)
def test_the_heartbeat_passes_as_it_is(key_types: Mapping[str, str]) -> None:
    """Whatever its key is, and however its JSON is written; another task's does not."""
    settings = settings_of(filter="attribute_exists(nothing)", setAttributes='{"x": {"S": "y"}}')
    view = task_view.view_of(settings, key_types)
    assert view is not None
    for task_name, passes in ((settings.task_name, True), ("another", False)):
        item = {**heartbeat.key(key_types, task_name), heartbeat.WRITTEN_AT: {"N": "1"}}
        text = json.dumps(item)
        for written in (text, text.replace("/", "\\/")):
            found = view(msgspec.Raw(written.encode()))
            assert (bytes(found) if found is not None else None) == (written.encode() if passes else None)


def test_scan_is_asked_for_what_passes_and_for_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """OR binds least, so the filter needs no parentheses, which DynamoDB refuses where they are not needed."""
    view = view_of(
        monkeypatch, filter="#s = :s OR a = :s", filterNames='{"#s": "status"}', filterValues='{":s": {"S": "x"}}'
    )
    asked = view.scan_filter
    assert asked is not None
    assert asked.expression == "#dynamodbReplicatorHeartbeat = :dynamodbReplicatorHeartbeat OR #s = :s OR a = :s"
    assert asked.names == {"#s": "status", "#dynamodbReplicatorHeartbeat": "id"}
    assert asked.values[":s"] == {"S": "x"}
    assert view_of(monkeypatch, excludeAttributes="a").scan_filter is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"id":1', b'"x"', b'{"\xa8":1}'])
def test_what_is_no_item(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is nothing to be written, nor to be passed over."""
    with pytest.raises(MalformedItemError):
        view_of(monkeypatch, excludeAttributes="a")(msgspec.Raw(content))


def test_the_digest_changes_with_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """And with nothing else: not with the task's other settings, nor with where the key is kept."""
    monkeypatch.setenv("MASK", KEY)
    monkeypatch.setenv("OTHER", KEY)
    monkeypatch.setenv("CHANGED", KEY[::-1])
    masking = {"maskAttributes": "a", "maskKey": "env:MASK"}

    def digest(**settings: str) -> str:
        return task_view.digest_of(settings_of(**settings))

    same = [digest(**masking), digest(**masking, onError="stop"), digest(**masking | {"maskKey": "env:OTHER"})]
    assert len(set(same)) == 1
    others = [
        digest(**masking | {"maskKey": "env:CHANGED"}),
        digest(**masking | {"maskAttributes": "a,b"}),
        digest(**masking, filter="attribute_exists(a)"),
        digest(**masking, renameAttributes="a=b"),
        digest(**masking, setAttributes='{"a":{"S":"x"}}'),
        digest(excludeAttributes="a"),
        digest(includeAttributes="a"),
        digest(**masking, excludeAttributes="a[0]"),
    ]
    assert len({same[0], *others}) == len(others) + 1
    assert KEY not in same[0]


def test_the_digest_tells_of_masks_that_earlier_versions_set_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they have written is to be looked at again; where no position moves, nothing is."""
    monkeypatch.setenv("MASK", KEY)
    monkeypatch.setattr(assembly, "_masks_where_positions_move", lambda _: False)
    earlier = {"maskAttributes": "lines[1].email", "maskKey": "env:MASK"}
    moved, not_moved = earlier | {"excludeAttributes": "lines[0]"}, earlier | {"excludeAttributes": "others[0]"}
    before = [task_view.digest_of(settings_of(**settings)) for settings in (moved, not_moved)]
    monkeypatch.undo()
    monkeypatch.setenv("MASK", KEY)
    now = [task_view.digest_of(settings_of(**settings)) for settings in (moved, not_moved)]
    assert [one == other for one, other in zip(before, now, strict=True)] == [False, True]


def test_paths_are_parsed_once() -> None:
    """As settings have them."""
    assert settings_of(excludeAttributes="a.b[0]").exclude_attributes == parse("a.b[0]")
