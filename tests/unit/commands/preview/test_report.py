"""What is shown of an item, and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from processor.commands.preview.options import key
from processor.commands.preview.report import Item, Preview
from processor.view import assembly, task_view
from tests.fakes.task.tasks import task

ITEM: dict[str, Any] = {
    "id": {"S": "1"},
    "email": {"S": "ada@example.com"},
    "profile": {"M": {"phone": {"S": "020"}, "city": {"S": "London"}}},
    "note": {"S": "hush"},
    "n": {"N": "5"},
}
MASKED = {"maskAttributes": "email, profile.phone", "maskKey": "env:PREVIEW_MASK_KEY"}


@pytest.fixture(autouse=True)
def _mask_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREVIEW_MASK_KEY", "0123456789abcdef")


def _shown(item: dict[str, Any], *, values: bool = False, **settings: str) -> Item:
    made = task(**settings)
    preview = Preview(
        made,
        key_names=["id"],
        view=task_view.view_of(made, {"id": "S"}),
        condition=assembly.condition_of(made),
        values=values,
    )
    return preview.of(msgspec.Raw(json.dumps(item).encode()))


def _changes(shown: Item) -> dict[tuple[str | None, str | None], tuple[str, ...]]:
    return {
        (each.before and each.before.name, each.after and each.after.name): each.changes for each in shown.attributes
    }


def test_each_setting_has_its_word() -> None:
    """A row for each attribute of either side, in the source's order, and new ones last."""
    shown = _shown(
        ITEM,
        excludeAttributes="note, profile.city",
        renameAttributes="n=number, email=mail",
        setAttributes='{"region":{"S":"eu"}}',
        **MASKED,
    )
    assert shown.outcome == "written"
    assert list(_changes(shown).items()) == [
        (("id", "id"), ("kept",)),
        (("email", "mail"), ("masked", "renamed")),
        (("profile", "profile"), ("partMasked", "partLeftOut")),
        (("note", None), ("leftOut",)),
        (("n", "number"), ("renamed",)),
        ((None, "region"), ("added",)),
    ]


def test_names_that_change_places() -> None:
    """Each goes to the other's name."""
    assert _changes(_shown(ITEM, renameAttributes="n=note, note=n"))["n", "note"] == ("renamed",)


def test_a_constant_in_the_place_of_an_attribute() -> None:
    """The old one is left out, the new one is added."""
    changes = _changes(_shown(ITEM, setAttributes='{"note":{"S":"x"}}'))
    assert changes["note", None] == ("leftOut",)
    assert changes[None, "note"] == ("added",)


def test_no_value_is_shown_without_being_asked_for() -> None:
    """Names, types and sizes; of the key all."""
    shown = msgspec.json.encode(_shown(ITEM, **MASKED)).decode()
    assert '"key":{"id":{"S":"1"}}' in shown
    assert "ada@" not in shown
    assert "hush" not in shown
    assert '"sizeBytes":8' in shown


def test_values_that_were_asked_for() -> None:
    """At both sides: the value, and its hash."""
    (email,) = [each for each in _shown(ITEM, values=True, **MASKED).attributes if each.changes == ("masked",)]
    assert email.before is not None
    assert email.after is not None
    assert email.before.value == ITEM["email"]
    assert email.after.value is not None
    assert len(email.after.value["S"]) == 64


def test_an_item_that_does_not_pass() -> None:
    """It is told from one that the transform drops, and what the source has is shown."""
    shown = _shown(ITEM, filter="n > :n", filterValues='{":n":{"N":"5"}}')
    assert (shown.outcome, shown.size_after) == ("filtered", None)
    assert len(shown.attributes) == len(ITEM)


@pytest.mark.parametrize(
    ("body", "outcome"), [("return None", "dropped"), ("raise KeyError('hush')", "refused"), ("return 5", "refused")]
)
def test_what_a_transform_does(tmp_path: Path, body: str, outcome: str) -> None:
    """Why nothing is written is said without the item."""
    name = f"preview_{outcome}_{len(body)}"
    (tmp_path / f"{name}.py").write_text(f"def change(item):\n    {body}\n")
    shown = _shown(ITEM, transform=f"{name}:change", transformPath=str(tmp_path))
    assert shown.outcome == outcome
    assert (shown.reason is not None) == (outcome == "refused")
    assert "hush" not in (shown.reason or "")


def test_without_a_view() -> None:
    """Everything stays as it is."""
    assert set(_changes(_shown(ITEM)).values()) == {("kept",)}


@pytest.mark.parametrize("text", ["", "x", "{}", '{"id":"a"}', '{"id":{"S":"a","N":"1"}}', '{"id":{"BOOL":"a"}}', "[]"])
def test_a_key_that_is_none(text: str) -> None:
    """It is refused with an example."""
    with pytest.raises(ValueError, match="no key as DynamoDB JSON"):
        key(text)
