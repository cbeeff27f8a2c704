"""What is wrong with the settings that choose and reshape items, by themselves and with the two tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from processor.dynamodb import attribute_values
from processor.dynamodb.attribute_values import InvalidValueError
from processor.dynamodb.describe import attribute_types, index_keys, key_types
from processor.errors import SetupError
from processor.reporting.findings import Finding, error, warning
from processor.settings.attribute_paths import shown
from processor.system import private_files
from processor.system.private_files import NotOursError
from processor.view import assembly, mask_key, task_view, transform
from processor.view.condition.condition import Condition
from processor.view.condition.condition_error import ConditionError, underlined
from processor.view.mask_key import MaskKeyError
from processor.view.transform import TransformError

if TYPE_CHECKING:
    from processor.settings.attribute_paths import Path as AttributePath
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts

# DynamoDB's limit of an expression (developer guide, service quotas), less what Scan is asked for beside the filter.
_MOST_FILTER_BYTES = 4096 - 100
# The same of operators and functions: Scan is also asked for the heartbeat, by = and OR.
_MOST_FILTER_OPERATORS = 300 - 2
_NOTHING = "Nothing can be written"
_READABLE_BY_OTHERS = 0o077


def of_settings(settings: Settings) -> Iterator[Finding]:
    """What is wrong whatever the tables are."""
    yield from _filter(settings)
    yield from _paths(settings)
    yield from _constants(settings)
    yield from _mask(settings)
    yield from _transform(settings)


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


# --- By themselves -------------------------------------------------------------------------------------------------


def _wrong(name: str, what: str, value: str, remedy: str) -> Finding:
    return error(name, what, value, _NOTHING, remedy, cause="setup")


def _filter(settings: Settings) -> Iterator[Finding]:
    if settings.filter is None:
        for name, given in (("filterNames", settings.filter_names), ("filterValues", settings.filter_values)):
            if given is not None:
                yield _wrong("filter-missing", name, "is set, but no filter", "Set filter, or leave it out")
        return
    if (size := len(settings.filter.encode())) > _MOST_FILTER_BYTES:
        value = f"has {size:,} bytes; {_MOST_FILTER_BYTES:,} are the most"
        yield _wrong("filter-unusable", "filter", value, "Make it shorter, with shorter #names and :values")
        return
    if (fault := _fault_of_values(settings.filter_values or {})) is not None:
        yield _wrong("filter-unusable", "filterValues", fault, "Write each as DynamoDB JSON")
        return
    try:
        condition = assembly.condition_of(settings)
    except ConditionError as exc:
        value = f"can't be used: {exc.message}"
        found = _wrong("filter-unusable", "filter", value, "Write it as a DynamoDB condition expression")
        yield msgspec.structs.replace(found, figure=underlined(settings.filter, exc.position))
        return
    if condition is not None:
        yield from _unused(condition)
        if condition.operators > _MOST_FILTER_OPERATORS:
            value = f"has {condition.operators} operators and functions; {_MOST_FILTER_OPERATORS} are the most"
            yield _wrong("filter-unusable", "filter", value, "Say it with fewer of them; IN takes up to 100 values")


def _unused(condition: Condition) -> Iterator[Finding]:
    for what, unused in (("filterNames", condition.unused_names), ("filterValues", condition.unused_values)):
        if unused:
            value = f"has {', '.join(sorted(unused))}, which filter does not use"
            yield _wrong("filter-unused", what, value, "Correct the filter, or take it out: DynamoDB would refuse it")


def _fault_of_values(values: Mapping[str, Any]) -> str | None:
    """What is wrong with the first of these values that DynamoDB would refuse."""
    for name, value in values.items():
        try:
            attribute_values.check(value)
        except InvalidValueError as exc:
            return f"has {name}, whose value DynamoDB refuses: {exc}"
    return None


def _paths(settings: Settings) -> Iterator[Finding]:
    if settings.include_attributes is not None and settings.exclude_attributes is not None:
        both = "includeAttributes and excludeAttributes"
        yield _wrong("include-and-exclude", both, "are both set", "Set one of the two")
    masked = settings.mask_attributes or []
    for path in masked:
        above = [other for other in masked if other != path and path[: len(other)] == other]
        if above:
            value = f"has {shown(path)}, which is within {shown(above[0])}"
            yield _wrong("mask-twice", "maskAttributes", value, "Take one of the two out")
    twice = [name for name, count in Counter((settings.rename_attributes or {}).values()).items() if count > 1]
    if twice:
        value = f"gives the name {', '.join(twice)} to more than one attribute"
        yield _wrong("rename-twice", "renameAttributes", value, "Give each its own")


def _constants(settings: Settings) -> Iterator[Finding]:
    if (fault := _fault_of_values(settings.set_attributes or {})) is not None:
        yield _wrong("set-unusable", "setAttributes", fault, "Write each as DynamoDB JSON")


def _mask(settings: Settings) -> Iterator[Finding]:
    if settings.mask_attributes is None:
        if settings.mask_key is not None:
            yield _wrong("mask-key-unused", "maskKey", "is set, but no maskAttributes", "Set both, or neither")
        return
    if settings.mask_key is None:
        remedy = "Make a key, as with openssl rand -hex 32, and say where it is: env:NAME or file:///path"
        yield _wrong("mask-key-missing", "maskKey", "is not set, but maskAttributes is", remedy)
        return
    try:
        mask_key.read(settings.mask_key)
    except MaskKeyError as exc:
        remedy = "Make one, as with openssl rand -hex 32, and keep it: another key gives other hashes"
        yield _wrong("mask-key-weak" if exc.is_weak else "mask-key-missing", "maskKey", str(exc), remedy)
        return
    if settings.mask_key.startswith("file:"):
        yield from _key_file(mask_key.path_of(settings.mask_key), settings)


def _key_file(path: Path, settings: Settings) -> Iterator[Finding]:
    try:
        private_files.check(path, shared=settings.allow_shared_folders)
        mode = path.stat().st_mode
    except NotOursError as exc:
        consequence = "Others could give another key, and values could be found by trying"
        yield error("mask-key-unsafe", "maskKey", str(exc), consequence, f"{exc.remedy} in maskKey", cause="setup")
        return
    except OSError as exc:
        yield _wrong("mask-key-missing", "maskKey", f"{path} can't be looked at ({exc})", "Name another file")
        return
    if mode & _READABLE_BY_OTHERS and not settings.allow_shared_folders:
        consequence = "Whoever reads the key can find short values, such as telephone numbers, by trying"
        yield warning("mask-key-readable", "maskKey", f"{path} can be read by others", consequence, f"chmod 600 {path}")


def _transform(settings: Settings) -> Iterator[Finding]:
    if settings.transform is None:
        if settings.transform_path is not None:
            yield _wrong("transform-missing", "transformPath", "is set, but no transform", "Set both, or neither")
        return
    try:
        if settings.transform_path is not None:
            private_files.check(Path(settings.transform_path), shared=settings.allow_shared_folders)
        file = transform.load(settings.transform, settings.transform_path).file
        private_files.check(Path(file), shared=settings.allow_shared_folders)
    except NotOursError as exc:
        consequence = "Others could run programs as this user there, with its credentials"
        yield error(
            "transform-unsafe", "transform", str(exc), consequence, f"{exc.remedy} in transformPath", cause="setup"
        )
    except (TransformError, OSError) as exc:
        yield _wrong("transform-unusable", "transform", str(exc), "Correct it, and check again")


# --- With the two tables -------------------------------------------------------------------------------------------


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
            yield _wrong(
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
        yield _wrong("filter-unusable", "filter", value, "Name the attribute alone: a key has no parts")


def _fence(settings: Settings) -> Iterator[Finding]:
    name = settings.fence_attribute
    made = {*(settings.rename_attributes or {}).values(), *(settings.set_attributes or {})}
    if settings.write_mode == "fenced" and name in made:
        yield _wrong(
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
        yield _wrong(
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
