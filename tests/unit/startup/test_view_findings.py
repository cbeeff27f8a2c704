"""What is wrong with the settings that choose and reshape items."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from processor.startup import java, table_checks, view_checks, view_findings, view_table_findings
from processor.startup.facts import Facts
from processor.state import task_row
from processor.view import task_view
from tests import pages
from tests.fakes.task.tasks import load
from tests.fakes.task.tasks import task as settings_of

KEY = "a key of sixteen bytes"
VALUES = '{":v": {"S": "x"}}'
MASKED = {"maskAttributes": "a", "maskKey": "env:MASK"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASK", KEY)
    monkeypatch.setenv("SHORT", "short")
    monkeypatch.setattr(sys, "path", [*sys.path])


def _ids(**settings: str) -> list[str]:
    return [finding.id for finding in view_findings.of_settings(settings_of(**settings))]


RIGHT: list[dict[str, str]] = [
    {},
    {"filter": "a = :v", "filterValues": VALUES},
    {"filter": "#s = :v", "filterValues": VALUES, "filterNames": '{"#s": "status"}'},
    {**MASKED, "excludeAttributes": "a,b.c"},
    {**MASKED, "maskAttributes": "a.b,a.c"},
    {"renameAttributes": "a=b,b=a"},
    {"setAttributes": '{"a": {"M": {"b": {"NS": ["1"]}}}}'},
]


@pytest.mark.parametrize("settings", RIGHT)
def test_nothing_is_found_where_nothing_is_wrong(settings: dict[str, str]) -> None:
    """With what makes sense."""
    assert _ids(**settings) == []


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "no expression": ({"filter": "a ="}, "filter-unusable"),
    "a reserved word": ({"filter": "status = :v", "filterValues": VALUES}, "filter-unusable"),
    "a name that is not given": ({"filter": "#s = :v", "filterValues": VALUES}, "filter-unusable"),
    "a value that is not given": ({"filter": "a = :v"}, "filter-unusable"),
    "too long": ({"filter": " OR ".join(["attribute_exists(a)"] * 250)}, "filter-unusable"),
    "too many operators": ({"filter": "NOT " * 298 + "a = :v", "filterValues": VALUES}, "filter-unusable"),
    "a value that is none": ({"filter": "a = :v", "filterValues": '{":v": {"N": "x"}}'}, "filter-unusable"),
    "names without a filter": ({"filterNames": '{"#s": "status"}'}, "filter-missing"),
    "values without a filter": ({"filterValues": VALUES}, "filter-missing"),
    "an unused value": ({"filter": "attribute_exists(a)", "filterValues": VALUES}, "filter-unused"),
    "an unused name": ({"filter": "attribute_exists(a)", "filterNames": '{"#s": "b"}'}, "filter-unused"),
    "both": ({"includeAttributes": "a", "excludeAttributes": "b"}, "include-and-exclude"),
    "masked twice": ({**MASKED, "maskAttributes": "a,a.b"}, "mask-twice"),
    "no key": ({"maskAttributes": "a"}, "mask-key-missing"),
    "a key that is not there": ({**MASKED, "maskKey": "env:NOTHING_OF_THAT_NAME"}, "mask-key-missing"),
    "a key's file that is not there": ({**MASKED, "maskKey": "file:///nothing/of/that/name"}, "mask-key-missing"),
    "a weak key": ({**MASKED, "maskKey": "env:SHORT"}, "mask-key-weak"),
    "a key without use": ({"maskKey": "env:MASK"}, "mask-key-unused"),
    "two to one name": ({"renameAttributes": "a=c,b=c"}, "rename-twice"),
    "a constant that is none": ({"setAttributes": '{"a": {"SS": []}}'}, "set-unusable"),
    "a path of nothing": ({"transformPath": "/somewhere"}, "transform-missing"),
    "no module": ({"transform": "no_module_of_that_name:view"}, "transform-unusable"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_thing_wrong_is_found(name: str) -> None:
    """As an error of the machine's, for which no start waits."""
    settings, expected = WRONG[name]
    (found,) = view_findings.of_settings(settings_of(**settings))
    assert (found.id, found.severity, found.cause) == (expected, "error", "setup")
    assert KEY not in found.text


def test_the_place_of_an_error_is_shown_below_the_expression() -> None:
    """In the lines for people; a script has them as one more member."""
    text = "attribute_exists(a) AND b ~ c"
    (found,) = view_findings.of_settings(settings_of(filter=text))
    assert found.figure
    shown, caret = str(found.figure).split("\n")
    assert shown == text
    assert text[caret.index("^")] == "~"
    assert found.lines[1:3] == (f"            {shown}", f"            {caret}")
    assert len(found.lines) == 4
    assert "\n" not in found.text


def test_files_that_others_can_change_are_refused(tmp_path: Path) -> None:
    """A key's file and a transform's module; one that others can read is warned of."""
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    mask = {**MASKED, "maskKey": key.as_uri()}
    assert _ids(**mask) == []
    key.chmod(0o644)
    assert _ids(**mask) == ["mask-key-readable"]
    key.chmod(0o666)
    assert _ids(**mask) == ["mask-key-unsafe"]
    assert _ids(**mask, allowSharedFolders="true") == []
    folder = tmp_path / "transforms"
    folder.mkdir()
    (folder / "guest_of_findings.py").write_text("def view(item): return item")
    (folder / "guest_of_findings.py").chmod(0o644)
    folder.chmod(0o755)
    transform = {"transform": "guest_of_findings:view", "transformPath": str(folder)}
    assert _ids(**transform) == []
    (folder / "guest_of_findings.py").chmod(0o666)
    assert _ids(**transform) == ["transform-unsafe"]


# --- With the tables -----------------------------------------------------------------------------------------------


def _table(name: str, *, view: str = "NEW_AND_OLD_IMAGES", **more: Any) -> dict[str, Any]:
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": view},
    } | more


def _with_index(kind: str) -> dict[str, Any]:
    made = _table("orders-copy")
    made["AttributeDefinitions"].append({"AttributeName": "day", "AttributeType": kind})
    key = [{"AttributeName": "day", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}]
    return made | {"GlobalSecondaryIndexes": [{"IndexName": "by-day", "KeySchema": key}]}


def _of_tables(found: Facts, **settings: str) -> list[tuple[str, str]]:
    return [(each.id, each.severity) for each in view_table_findings.of_tables(settings_of(**settings), found)]


TABLES = Facts(source=_table("orders"), destination=_table("orders-copy"))


@pytest.mark.parametrize(
    "settings",
    [
        {"excludeAttributes": "id"},
        {"excludeAttributes": "at"},
        {**MASKED, "maskAttributes": "id"},
        {"renameAttributes": "id=x"},
        {"renameAttributes": "x=at"},
        {"setAttributes": '{"at": {"N": "1"}}'},
    ],
)
def test_the_key_stays(settings: dict[str, str]) -> None:
    """Whatever would change it is an error."""
    assert _of_tables(TABLES, **settings) == [("view-of-key", "error")]
    assert _of_tables(TABLES, includeAttributes="a") == []


def test_a_key_has_no_parts() -> None:
    """DynamoDB refuses a filter that looks for some, where the key itself may be asked for."""
    within = {"filter": "a = :v OR id.a = :v", "filterValues": VALUES}
    assert _of_tables(TABLES, **within) == [("filter-unusable", "error")]
    assert _of_tables(TABLES, filter="id = :v", filterValues=VALUES) == []


@pytest.mark.parametrize(
    "settings", [{"renameAttributes": "a=fence"}, {"setAttributes": '{"fence": {"S": "x"}}'}], ids=["renamed", "set"]
)
def test_the_fence_attribute_is_free(settings: dict[str, str]) -> None:
    """Where it is used."""
    fence = {"fenceAttribute": "fence"}
    assert _of_tables(TABLES, **settings, **fence, writeMode="fenced") == [("fence-attribute-set", "error")]
    assert _of_tables(TABLES, **settings, **fence) == []


def test_a_stream_without_old_images_costs_deletes() -> None:
    """It is said where a filter can't know what stood at the destination."""
    found = Facts(source=_table("orders", view="NEW_IMAGE"), destination=_table("orders-copy"))
    assert _of_tables(found, filter="attribute_exists(a)") == [("filter-without-old-images", "warning")]
    assert _of_tables(found, excludeAttributes="a") == []


@pytest.mark.parametrize(
    ("kind", "settings", "severity"),
    [
        ("N", {**MASKED, "maskAttributes": "day"}, "error"),
        ("S", {**MASKED, "maskAttributes": "day"}, None),
        ("N", {"setAttributes": '{"day": {"S": "x"}}'}, "error"),
        ("S", {"setAttributes": '{"day": {"S": "x"}}'}, None),
        ("N", {**MASKED, "maskAttributes": "d", "renameAttributes": "d=day"}, "error"),
        ("N", {"renameAttributes": "day=d"}, "warning"),
        ("N", {"excludeAttributes": "day"}, "warning"),
        ("N", {"excludeAttributes": "day.x"}, None),
        ("N", {"includeAttributes": "x"}, "warning"),
        ("N", {"includeAttributes": "day"}, None),
        ("N", {"includeAttributes": "d", "renameAttributes": "d=day"}, None),
    ],
)
def test_an_index_of_the_destination(kind: str, settings: dict[str, str], severity: str | None) -> None:
    """It refuses what is of another type, and an item without its key does not stand in it."""
    found = _of_tables(Facts(source=_table("orders"), destination=_with_index(kind)), **settings)
    assert found == ([] if severity is None else [("view-of-index", severity)])


@pytest.mark.parametrize(
    ("settings", "is_said"),
    [
        ({"excludeAttributes": "expires"}, True),
        ({**MASKED, "maskAttributes": "expires"}, True),
        ({"renameAttributes": "expires=x"}, True),
        ({"includeAttributes": "x"}, True),
        ({"excludeAttributes": "x"}, False),
        ({"renameAttributes": "x=expires"}, False),
    ],
)
def test_the_ttl_attribute(settings: dict[str, str], is_said: bool) -> None:  # noqa: FBT001
    """Without it no item expires by itself at the destination."""
    found = Facts(source=_table("orders"), destination=_table("orders-copy"), destination_ttl="expires")
    assert _of_tables(found, **settings) == ([("view-of-ttl", "warning")] if is_said else [])


@pytest.mark.parametrize(
    ("settings", "is_refused"),
    [
        ({"writeMode": "fenced"}, False),
        ({"filter": "attribute_exists(a)", "writeMode": "fenced"}, False),
        ({"excludeAttributes": "a", "maskAttributes": "b", "maskKey": "env:KEY"}, False),
        ({"renameAttributes": "expires=until"}, False),
        ({"includeAttributes": "a, expires"}, False),
        ({"excludeAttributes": "expires"}, True),
        ({"includeAttributes": "a"}, True),
        ({"maskAttributes": "expires", "maskKey": "env:KEY"}, True),
        ({"setAttributes": '{"expires": {"N": "1"}}'}, True),
        ({"transform": "module:function"}, True),
    ],
)
def test_an_archive_needs_the_date(settings: dict[str, str], is_refused: bool) -> None:  # noqa: FBT001
    """Else what TTL has deleted could not be told from what an application has deleted."""
    tables = {"source": _table("orders"), "destination": _table("orders-copy")}
    task = settings_of(ttlDeletes="ignore", **settings)
    said = [found.id for found in view_checks.with_tables(task, Facts(**tables, source_ttl="expires"))]
    assert said == (["archive-without-date"] if is_refused else [])
    assert list(view_checks.with_tables(task, Facts(**tables))) == []
    without = settings_of(**settings)
    assert list(view_checks.with_tables(without, Facts(**tables, source_ttl="expires"))) == []


def test_an_archive_has_no_ttl() -> None:
    """With ttlDeletes=ignore, any TTL at the destination deletes what is to be kept."""
    found = Facts(source=_table("orders"), source_ttl="expires", destination_ttl="expires")
    said = [finding.id for finding in table_checks.destination_ttl(settings_of(ttlDeletes="ignore"), found)]
    assert said == ["destination-ttl"]
    assert list(table_checks.destination_ttl(settings_of(), found)) == []


def test_items_of_other_settings_are_said_until_all_is_as_the_settings_have_it() -> None:
    """Also where there are none any more; not for a task that was never started, nor for other tables."""
    plain, excluding = settings_of(), settings_of(excludeAttributes="a")
    of_plain = Facts(source=_table("orders"), task=task_row.of(plain, "arn"))
    digest = task_view.digest_of(excluding)
    of_excluding = Facts(source=_table("orders"), task=task_row.of(excluding, "arn", view_digest=digest))
    others = Facts(source=_table("orders"), task=task_row.of(settings_of(destinationTable="others"), "arn"))
    for settings, found, is_said in (
        (plain, of_plain, False),
        (excluding, of_plain, True),
        (plain, of_excluding, True),
        (excluding, of_excluding, False),
        (excluding, Facts(source=_table("orders")), False),
        (excluding, others, False),
    ):
        said = [finding.id for finding in view_checks.as_before(settings, found)]
        assert said == (["view-changed"] if is_said else [])


def test_the_examples_of_the_docs_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of docs/choose.md is a whole task in which nothing is wrong."""
    monkeypatch.setattr("processor.view.mask_key.read", lambda _: KEY.encode())
    monkeypatch.setattr("processor.startup.view_findings._key_file", lambda *_: [])
    page = java.ROOT / "docs" / "choose.md"
    examples = [block.text for block in pages.fenced(page) if "sourceRegion" in block.text]
    assert len(examples) == 5
    for example in examples:
        settings = load(example)
        assert list(view_findings.of_settings(settings)) == []
        assert settings.views_items or settings.keeps_expired
