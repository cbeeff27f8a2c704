"""Settings that choose and reshape items, as they are written."""

from __future__ import annotations

import pytest

from processor.errors import UsageError
from processor.settings import parsers
from tests.fakes.task.tasks import load
from tests.fakes.task.tasks import task as settings_of


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a=b", {"a": "b"}),
        (" a = b , c=d ", {"a": "b", "c": "d"}),
        (r"a\=x=b\,y, c.d=e[0]", {"a=x": "b,y", "c.d": "e[0]"}),
        ("a=b,b=a", {"a": "b", "b": "a"}),
    ],
)
def test_renames(text: str, names: dict[str, str]) -> None:
    """Between commas; a dot and a bracket are part of a name, for only the top level is renamed."""
    assert parsers.renames(text) == names


@pytest.mark.parametrize("text", ["", "a", "a=", "=b", "a=b=c", "a=a", "a=b,a=c", ","])
def test_what_is_no_rename(text: str) -> None:
    """It is said."""
    with pytest.raises(ValueError, match=r"old=new|renamed twice"):
        parsers.renames(text)


@pytest.mark.parametrize(
    "text", ["{", "[]", "1", '"x"', '{"a": 1}', '{"a": {}}', '{"a": {"S": "x", "N": "1"}}', "[" * 100_000]
)
def test_what_is_no_attributes(text: str) -> None:
    """A JSON object of DynamoDB JSON is asked for; its values are checked by the preflight."""
    with pytest.raises(ValueError, match=r"JSON|deeply"):
        parsers.attributes(text)


def test_a_name_that_stands_twice() -> None:
    """JSON would take the last one in silence."""
    with pytest.raises(ValueError, match="twice"):
        parsers.attributes('{"a": {"S": "x"}, "a": {"S": "y"}}')


@pytest.mark.parametrize(("parse", "text"), [(parsers.names, '{"s": "status"}'), (parsers.values, '{"s": {"S": "x"}}')])
def test_names_and_values_have_their_signs(parse: object, text: str) -> None:
    """As the expression has them."""
    assert callable(parse)
    with pytest.raises(ValueError, match="begin with"):
        parse(text)


@pytest.mark.parametrize(
    "key", ["0123456789abcdef0123", "env:", "env:A-B", "file://host/key", "file:key", "file:///", "env"]
)
def test_a_key_is_never_repeated(key: str) -> None:
    """What stands there may be the key itself, so no message has it."""
    with pytest.raises(UsageError) as raised:
        settings_of(maskAttributes="a", maskKey=key)
    assert key not in str(raised.value).replace("env:NAME or file:///path/of/the/key", "")
    assert "maskKey" in str(raised.value)


def test_a_properties_file_with_all_of_them() -> None:
    """With lines that go on, as Java's syntax has them."""
    settings = load(
        r"""
        sourceRegion = eu-west-1
        sourceTable = abc
        destinationRegion = eu-west-1
        destinationTable = def
        filter = #s = :s
        filterNames = {"#s": "status"}
        filterValues = {":s": \
            {"S": "x"}}
        excludeAttributes = a\\.b, c[0]
        transform = m.n:f
        transformPath = hooks
        """
    )
    assert settings.filter == "#s = :s"
    assert settings.filter_names == {"#s": "status"}
    assert settings.filter_values == {":s": {"S": "x"}}
    assert settings.exclude_attributes == [("a.b",), ("c", 0)]
    assert settings.transform_path == "/somewhere/hooks"
    assert settings.views_items


@pytest.mark.parametrize(
    ("settings", "there"),
    [
        ({}, "a"),
        ({"renameAttributes": "a=b"}, "b"),
        ({"renameAttributes": "b=c"}, "a"),
        ({"includeAttributes": "a"}, "a"),
        ({"includeAttributes": "a.x"}, None),
        ({"includeAttributes": "b"}, None),
        ({"excludeAttributes": "a"}, None),
        ({"excludeAttributes": "a.x"}, "a"),
        ({"maskAttributes": "a", "maskKey": "env:K"}, None),
        ({"setAttributes": '{"a": {"S": "x"}}'}, None),
        ({"transform": "m:f"}, None),
    ],
)
def test_where_an_attribute_is_at_the_destination(settings: dict[str, str], there: str | None) -> None:
    """With its own value; else it may not be relied on."""
    assert settings_of(**settings).destination_name("a") == there
