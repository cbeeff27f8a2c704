"""The template, the README and ``--help`` say what the definitions say."""

from __future__ import annotations

import re
from types import FunctionType
from typing import get_type_hints

import pytest

from processor.cli import arguments
from processor.settings.definitions import BY_NAME, DEFINITIONS, Definition
from processor.settings.settings import Settings
from processor.startup import java
from tests.fakes.task.tasks import load

TEMPLATE = java.ROOT / "properties" / "replication.properties"
SETTING_LINE = re.compile(r"(?:# )?(\w+) = (.*)")

each_setting = pytest.mark.parametrize("definition", DEFINITIONS, ids=BY_NAME)


def _template() -> list[str]:
    return TEMPLATE.read_text("latin-1").splitlines()


def _name_and_value(line: str) -> tuple[str, str] | None:
    match = SETTING_LINE.fullmatch(line)
    return (match[1], match[2]) if match and match[1] in BY_NAME else None


@each_setting
def test_the_template_explains_each_setting(definition: Definition) -> None:
    """In the template each setting stands once, under a comment, with its default where that is a value."""
    lines = _template()
    places = [i for i, line in enumerate(lines) if (_name_and_value(line) or ("",))[0] == definition.name]
    assert len(places) == 1
    comment = lines[places[0] - 1]
    assert comment.startswith("# ")
    assert _name_and_value(comment) is None
    found = _name_and_value(lines[places[0]])
    assert found is not None
    if definition.default is not None:
        assert definition.default == found[1]
    assert definition.required == (not lines[places[0]].startswith("#"))


def test_the_template_loads_when_filled_in() -> None:
    """Every line of the template, uncommented, is a value that its setting takes."""
    lines = [line.removeprefix("# ") if _name_and_value(line) else line for line in _template()]
    assert load("\n".join(lines)).source_table


def test_the_template_as_it_is_changes_no_default() -> None:
    """A copy of the template with only the required settings is what the required settings alone are."""
    required = [f"{found[0]}={found[1]}" for line in _template() if (found := _name_and_value(line)) and line[0] != "#"]
    assert load("\n".join(required)) == load("\n".join(_template()))


@each_setting
def test_the_readme_has_a_row_for_each_setting(definition: Definition) -> None:
    """The README's table has one row for each setting, with its default."""
    readme = (java.ROOT / "README.md").read_text()
    rows = [line for line in readme.splitlines() if line.startswith(f"| `{definition.name}` |")]
    assert len(rows) == 1
    assert definition.default_text in rows[0].replace("`", "")


@each_setting
def test_help_has_each_setting(definition: Definition) -> None:
    """``--help`` has each setting with its words, its default and its environment variable."""
    text = " ".join(arguments.parser("run.sh", "usage").format_help().split())
    default = "(required)" if definition.required else f"(default: {definition.default_text})"
    for part in (f"--{definition.name} ", f"{definition.help} {default}", definition.environment, definition.group):
        assert part in text


def test_environment_names_follow_the_settings_names() -> None:
    """The environment variable of a setting is its name in capitals, with the project's prefix."""
    assert BY_NAME["sourceRegion"].environment == "REPLICATION_SOURCE_REGION"
    assert BY_NAME["kclEndpoint"].environment == "REPLICATION_KCL_ENDPOINT"


def test_the_settings_have_the_fields_of_the_list() -> None:
    """Each field is a setting's own or made of settings, and each setting becomes a field; KCL's are beside them."""
    fields = {name for definition in DEFINITIONS for name in definition.fields}
    assert fields | {"kcl", "direction"} == {*Settings.__struct_fields__}


@pytest.mark.parametrize(
    "definition", [each for each in DEFINITIONS if not each.part_of], ids=lambda definition: definition.name
)
def test_a_field_has_the_type_that_its_setting_is_parsed_to(definition: Definition) -> None:
    """Or None, where it may be left out."""
    parse = definition.parse
    called = parse if isinstance(parse, FunctionType) else type(parse).__call__
    parsed = parse if isinstance(parse, type) else get_type_hints(called)["return"]
    assert get_type_hints(Settings)[definition.fields[0]] in (parsed, parsed | None)
    if definition.required or definition.default is not None:
        assert get_type_hints(Settings)[definition.fields[0]] == parsed
