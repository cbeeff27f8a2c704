"""What is wrong with the settings that choose and reshape items, and these two tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from processor.dynamodb.describe import attribute_types, index_keys, key_types
from processor.errors import SetupError
from processor.reporting.findings import Finding, warning
from processor.settings.attribute_paths import shown
from processor.startup.view_findings import wrong
from processor.view import assembly, task_view
from processor.view.condition.condition_error import ConditionError

if TYPE_CHECKING:
    from processor.settings.attribute_paths import Path as AttributePath
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts


def of_tables(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """What is wrong with these tables."""
    if not facts.source or not settings.views_items:
        return
    yield from _keys(settings, facts.source)
    yield from _fence(settings)
    yield from _old_images(settings, facts.source)
    yield from _indexes(settings, facts)
    yield from _ttl(settings, facts)


def changed(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether the destination holds items that were written by other settings."""
    if facts.task is None:
        return
    try:
        digest = task_view.digest_of(settings)
    except SetupError:  # said already
        return
    ours = (settings.source_region, settings.source_table, settings.destination_region, settings.destination_table)
    remedy = "verify --repair --deleteExtra" if digest else "copy --restart"
    if facts.task.tables == ours and facts.task.view_digest != digest:
        yield warning(
            "view-changed",
            f"items of destination table {settings.destination_table}",
            "were written with other settings for what is left out, masked, renamed or added"
            if digest
            else "were written with settings that left out, masked, renamed or added, and there are none now",
            "Items that don't change from now on stay as they are there, those too that would not be there now",
            f"Run {remedy}; that is noted, and then this is not said again",
        )


def _named(settings: Settings) -> Iterator[tuple[str, AttributePath]]:
    """Every place at which an attribute goes, or becomes another one, with the setting that says so."""
    for setting, paths in (
        ("excludeAttributes", settings.exclude_attributes),
        ("maskAttributes", settings.mask_attributes),
    ):
        yield from ((setting, path) for path in paths or [])
    for old, new in (settings.rename_attributes or {}).items():
        yield "renameAttributes", (old,)
        yield "renameAttributes", (new,)
    yield from (("setAttributes", (name,)) for name in settings.set_attributes or {})


def _keys(settings: Settings, source: Mapping[str, Any]) -> Iterator[Finding]:
    key = key_types(source)
    for setting, path in _named(settings):
        if path[0] in key:
            yield wrong(
                "view-of-key",
                setting,
                f"names {shown(path)}, which is of the key",
                "Leave it out: an item keeps its key, or no change of it could be found again",
            )
    try:
        condition = assembly.condition_of(settings)
    except ConditionError:  # said already
        return
    if condition is not None and (within := sorted(condition.nested & key.keys())):
        value = f"looks for something within {', '.join(within)}, which is of the key"
        yield wrong("filter-unusable", "filter", value, "Name the attribute alone: a key has no parts")


def _fence(settings: Settings) -> Iterator[Finding]:
    name = settings.fence_attribute
    made = {*(settings.rename_attributes or {}).values(), *(settings.set_attributes or {})}
    if settings.write_mode == "fenced" and name in made:
        yield wrong(
            "fence-attribute-set",
            "renameAttributes" if name in (settings.rename_attributes or {}).values() else "setAttributes",
            f"makes an attribute {name}, in which writeMode=fenced keeps each item's sequence number",
            "Give it another name, or name another one in fenceAttribute",
        )


def _old_images(settings: Settings, source: Mapping[str, Any]) -> Iterator[Finding]:
    asked = settings.filter is not None or settings.transform is not None
    if asked and source.get("StreamSpecification", {}).get("StreamViewType") == "NEW_IMAGE":
        yield warning(
            "filter-without-old-images",
            f"stream of source table {settings.source_table}",
            "has view type NEW_IMAGE",
            "Whether an item stood at the destination is not known by it: each change of an item that does not pass "
            "costs a delete there, which finds nothing",
            "Have it with NEW_AND_OLD_IMAGES to save those",
        )


def _indexes(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """An index's key must be of its type, and an item without it does not stand in the index."""
    if facts.destination is None:
        return
    types = attribute_types(facts.destination)
    key = key_types(facts.destination)
    for index, name in index_keys(facts.destination):
        if name not in key:
            yield from _index_attribute(settings, f"index {index}", name, types[name])


def _index_attribute(settings: Settings, index: str, name: str, kind: str) -> Iterator[Finding]:
    what = f"{index} of destination table {settings.destination_table}"
    source_name = _source_name(settings, name)
    constant = (settings.set_attributes or {}).get(name)
    made = "S" if (source_name,) in (settings.mask_attributes or []) else None
    made = made if constant is None else next(iter(constant))
    if made is not None and made != kind:
        yield wrong(
            "view-of-index",
            what,
            f"wants {name} of type {kind}; the settings make it {made}, for every item",
            "Take it out of maskAttributes or setAttributes, or remove the index: no item could be written",
        )
    elif constant is None and not stays(settings, name):
        yield warning(
            "view-of-index",
            what,
            f"has {name} for its key, which no item has there by these settings",
            "It stays empty",
            "Remove the index, or keep the attribute",
        )


def _source_name(settings: Settings, name: str) -> str:
    """The source's name of an attribute that has this one at the destination."""
    return {new: old for old, new in (settings.rename_attributes or {}).items()}.get(name, name)


def stays(settings: Settings, name: str) -> bool:
    """Whether the destination's items may have an attribute of the source's, or one that is renamed to it."""
    if settings.transform is not None:
        return True  # whatever it makes
    source_name = _source_name(settings, name)
    if source_name == name and name in (settings.rename_attributes or {}):
        return False
    if settings.include_attributes is not None and source_name not in {path[0] for path in settings.include_attributes}:
        return False
    return (source_name,) not in (settings.exclude_attributes or [])


def _ttl(settings: Settings, facts: Facts) -> Iterator[Finding]:
    name = facts.destination_ttl
    if name is None or settings.keeps_expired:  # the latter is said of any TTL there
        return
    source_name = _source_name(settings, name)
    if not stays(settings, name) or (source_name,) in (settings.mask_attributes or []):
        yield warning(
            "view-of-ttl",
            f"TTL of destination table {settings.destination_table}",
            f"is on {name}, which no item has there as a date, by these settings",
            "No item expires there by itself; what TTL deletes at the source is deleted all the same",
            "Keep the attribute, or turn TTL off there",
        )
