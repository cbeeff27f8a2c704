"""Makes a view of the items from the settings, and the digest by which two views are told apart.

``task_view.py`` calls it for tasks that have one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from processor.errors import SetupError
from processor.flow import shapes
from processor.settings.attribute_paths import Path as AttributePath
from processor.settings.daemon_files import VIEW_FILE, ViewBasis
from processor.settings.settings import VIEW_FIELDS, Settings
from processor.system import private_files
from processor.view import mask_key, transform
from processor.view.condition import condition
from processor.view.condition.condition import Condition
from processor.view.condition.condition_error import ConditionError
from processor.view.item_view import Constants, ItemView, Step
from processor.view.mask import Mask, masked
from processor.view.mask_key import MaskKeyError
from processor.view.projection import Exclusion, Inclusion
from processor.view.renaming import Renaming
from processor.view.transform import Transform, TransformError

# What a digest is made of. Items that were written under other values may be other items now.
_DIGEST_FIELDS = (*VIEW_FIELDS, "filter_names", "filter_values")
_DIGEST_CHARACTERS = 32
_FINGERPRINT_OF = b"dynamodb-replicator maskKey"


def view_of(settings: Settings, key_types: Mapping[str, str]) -> ItemView:
    """The view that the settings ask for.

    :param key_types: the source's key attributes, each with its type; the partition key first
    :raises SetupError: it can't be made
    """
    try:
        return ItemView(
            key_types=key_types,
            task_name=settings.task_name,
            condition=condition_of(settings),
            steps=list(_steps(settings, key_types)),
        )
    except (ConditionError, MaskKeyError, TransformError) as exc:
        raise _unusable(str(exc)) from exc


def condition_of(settings: Settings) -> Condition | None:
    """The filter.

    :raises ConditionError: DynamoDB would refuse it
    """
    if settings.filter is None:
        return None
    return condition.parse(settings.filter, settings.filter_names or {}, settings.filter_values or {})


def _steps(settings: Settings, key_types: Mapping[str, str]) -> Iterator[Step]:
    if settings.transform is not None:
        loaded = transform.load(settings.transform, settings.transform_path)
        yield Transform(loaded.function, file=loaded.file, key_names=list(key_types))
    yield from _kept_and_masked(settings, key_types)
    if settings.rename_attributes is not None:
        yield Renaming(settings.rename_attributes)
    if settings.set_attributes is not None:
        yield Constants(settings.set_attributes)


def _kept_and_masked(settings: Settings, key_types: Mapping[str, str]) -> Iterator[Step]:
    """What is left out, and what is masked of the rest: both by the positions that lists have at the source."""
    left_out = settings.exclude_attributes or []
    masks = [path for path in settings.mask_attributes or [] if not _is_within(path, left_out)]
    key = mask_key.read(settings.mask_key or "") if settings.mask_attributes is not None else b""
    if settings.include_attributes is not None:
        yield Inclusion(settings.include_attributes, key_types, masked=masks, mask=partial(masked, key))
        return
    # Of a masked value, what is left out of it must be gone before; what moves positions comes after.
    parts = [path for path in left_out if _is_within(path, masks)]
    others = [path for path in left_out if path not in parts]
    if parts:
        yield Exclusion(parts)
    if masks:
        yield Mask(masks, key)
    if others:
        yield Exclusion(others)


def _is_within(path: AttributePath, others: Iterable[AttributePath]) -> bool:
    """Whether it is one of the others, or leads to a part of what one of them names."""
    return any(path[: len(each)] == each for each in others)


def digest_of(settings: Settings) -> str:
    """Text that is equal for settings that make the same of every item.

    The mask's key and the text of the transform's module are in it, too; what that module imports is not.

    :raises SetupError: one of them can't be read
    """
    made = {name: getattr(settings, name) for name in _DIGEST_FIELDS}
    if _masks_where_positions_move(settings):
        made["positions"] = "the source's"  # earlier versions masked by those that were left
    try:
        if settings.mask_attributes is not None:
            key = mask_key.read(settings.mask_key or "")
            made["mask_key"] = hmac.digest(key, _FINGERPRINT_OF, "sha256").hex()
        if settings.transform is not None:
            made["module"] = transform.load(settings.transform, settings.transform_path).digest
    except (MaskKeyError, TransformError) as exc:
        raise _unusable(str(exc)) from exc
    return hashlib.sha256(msgspec.json.encode(made, order="sorted")).hexdigest()[:_DIGEST_CHARACTERS]


def _masks_where_positions_move(settings: Settings) -> bool:
    """Whether a value is masked in a list of which other positions are kept or left out."""
    moved = [path[:at] for path in _projected(settings) for at, step in enumerate(path) if isinstance(step, int)]
    masks = settings.mask_attributes or []
    return any(isinstance(step, int) and path[:at] in moved for path in masks for at, step in enumerate(path))


def _projected(settings: Settings) -> list[AttributePath]:
    return [*(settings.include_attributes or []), *(settings.exclude_attributes or [])]


def handed_down(settings: Settings, directory: Path) -> ItemView:
    """The view of a running daemon's children, whose settings ask for one.

    :param directory: the daemon's
    :raises NotOursError: somebody else could have written what is handed down
    :raises SetupError: the mask's key, or the transform, is no longer what the daemon began with
    """
    basis = shapes.decode(private_files.read(directory / VIEW_FILE), ViewBasis)
    view = view_of(settings, basis.key_types)
    if digest_of(settings) != basis.digest:  # read after the view was made: of a file that changes now the newer text
        raise SetupError(
            "View of the items",
            "the mask's key, or the transform's file, has changed since the daemon began",
            "Items written from now on would not be as those before",
            "Start the daemon again; it says what else to do",
        )
    return view


def _unusable(reason: str) -> SetupError:
    return SetupError(
        "View of the items", reason, "Nothing can be written", "Put that right; run.sh check says whether it is"
    )
