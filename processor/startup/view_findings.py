"""What is wrong with the settings that choose and reshape items, whatever the tables are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from processor.dynamodb import attribute_values
from processor.dynamodb.attribute_values import InvalidValueError
from processor.reporting.findings import Finding, error, warning
from processor.settings.attribute_paths import shown
from processor.system import private_files
from processor.system.private_files import NotOursError
from processor.view import assembly, mask_key, transform
from processor.view.condition.condition import Condition
from processor.view.condition.condition_error import ConditionError, underlined
from processor.view.mask_key import MaskKeyError
from processor.view.transform import TransformError

if TYPE_CHECKING:
    from processor.settings.settings import Settings

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


def wrong(name: str, what: str, value: str, remedy: str) -> Finding:
    """An error of these settings, with which nothing could be written."""
    return error(name, what, value, _NOTHING, remedy, cause="setup")


def _filter(settings: Settings) -> Iterator[Finding]:
    if settings.filter is None:
        for name, given in (("filterNames", settings.filter_names), ("filterValues", settings.filter_values)):
            if given is not None:
                yield wrong("filter-missing", name, "is set, but no filter", "Set filter, or leave it out")
        return
    if (size := len(settings.filter.encode())) > _MOST_FILTER_BYTES:
        value = f"has {size:,} bytes; {_MOST_FILTER_BYTES:,} are the most"
        yield wrong("filter-unusable", "filter", value, "Make it shorter, with shorter #names and :values")
        return
    if (fault := _fault_of_values(settings.filter_values or {})) is not None:
        yield wrong("filter-unusable", "filterValues", fault, "Write each as DynamoDB JSON")
        return
    try:
        condition = assembly.condition_of(settings)
    except ConditionError as exc:
        value = f"can't be used: {exc.message}"
        found = wrong("filter-unusable", "filter", value, "Write it as a DynamoDB condition expression")
        yield msgspec.structs.replace(found, figure=underlined(settings.filter, exc.position))
        return
    if condition is not None:
        yield from _unused(condition)
        if condition.operators > _MOST_FILTER_OPERATORS:
            value = f"has {condition.operators} operators and functions; {_MOST_FILTER_OPERATORS} are the most"
            yield wrong("filter-unusable", "filter", value, "Say it with fewer of them; IN takes up to 100 values")


def _unused(condition: Condition) -> Iterator[Finding]:
    for what, unused in (("filterNames", condition.unused_names), ("filterValues", condition.unused_values)):
        if unused:
            value = f"has {', '.join(sorted(unused))}, which filter does not use"
            yield wrong("filter-unused", what, value, "Correct the filter, or take it out: DynamoDB would refuse it")


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
        yield wrong("include-and-exclude", both, "are both set", "Set one of the two")
    masked = settings.mask_attributes or []
    for path in masked:
        above = [other for other in masked if other != path and path[: len(other)] == other]
        if above:
            value = f"has {shown(path)}, which is within {shown(above[0])}"
            yield wrong("mask-twice", "maskAttributes", value, "Take one of the two out")
    twice = [name for name, count in Counter((settings.rename_attributes or {}).values()).items() if count > 1]
    if twice:
        value = f"gives the name {', '.join(twice)} to more than one attribute"
        yield wrong("rename-twice", "renameAttributes", value, "Give each its own")


def _constants(settings: Settings) -> Iterator[Finding]:
    if (fault := _fault_of_values(settings.set_attributes or {})) is not None:
        yield wrong("set-unusable", "setAttributes", fault, "Write each as DynamoDB JSON")


def _mask(settings: Settings) -> Iterator[Finding]:
    if settings.mask_attributes is None:
        if settings.mask_key is not None:
            yield wrong("mask-key-unused", "maskKey", "is set, but no maskAttributes", "Set both, or neither")
        return
    if settings.mask_key is None:
        remedy = "Make a key, as with openssl rand -hex 32, and say where it is: env:NAME or file:///path"
        yield wrong("mask-key-missing", "maskKey", "is not set, but maskAttributes is", remedy)
        return
    try:
        mask_key.read(settings.mask_key)
    except MaskKeyError as exc:
        remedy = "Make one, as with openssl rand -hex 32, and keep it: another key gives other hashes"
        yield wrong("mask-key-weak" if exc.is_weak else "mask-key-missing", "maskKey", str(exc), remedy)
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
        yield wrong("mask-key-missing", "maskKey", f"{path} can't be looked at ({exc})", "Name another file")
        return
    if mode & _READABLE_BY_OTHERS and not settings.allow_shared_folders:
        consequence = "Whoever reads the key can find short values, such as telephone numbers, by trying"
        yield warning("mask-key-readable", "maskKey", f"{path} can be read by others", consequence, f"chmod 600 {path}")


def _transform(settings: Settings) -> Iterator[Finding]:
    if settings.transform is None:
        if settings.transform_path is not None:
            yield wrong("transform-missing", "transformPath", "is set, but no transform", "Set both, or neither")
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
        yield wrong("transform-unusable", "transform", str(exc), "Correct it, and check again")
