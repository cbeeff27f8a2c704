"""A task's view of its items, for whoever needs one. Tasks without one pay nothing for it, not even its imports."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processor.dynamodb.describe import key_types

if TYPE_CHECKING:
    from processor.settings.settings import Settings
    from processor.view.item_view import ItemView


def view_of(settings: Settings, key_types: Mapping[str, str]) -> ItemView | None:
    """The task's view, or None if it has none.

    :param key_types: the source's key attributes, each with its type; the partition key first
    :raises SetupError: it can't be made. The preflight says the same before, but something may have changed since
    """
    if not settings.views_items:
        return None
    from processor.view import assembly

    return assembly.view_of(settings, key_types)


def of_source(settings: Settings, source: Mapping[str, Any]) -> ItemView | None:
    """The same, from the source's description.

    :param source: ``Table`` of DescribeTable's answer
    """
    return view_of(settings, key_types(source)) if settings.views_items else None


def digest_of(settings: Settings) -> str:
    """Text that is equal for settings that make the same of every item; empty where they make nothing of any.

    :raises SetupError: the mask's key, or the transform's file, can't be read
    """
    if not settings.views_items:
        return ""
    from processor.view import assembly

    return assembly.digest_of(settings)


def handed_down(settings: Settings, directory: Path) -> ItemView | None:
    """The view of a running daemon's children, or None if the task has none.

    :param directory: the daemon's
    :raises NotOursError: somebody else could have written what is handed down
    :raises SetupError: the view can't be made, or is no longer the one that the daemon began with
    """
    if not settings.views_items:
        return None
    from processor.view import assembly

    return assembly.handed_down(settings, directory)


def at_home(settings: Settings) -> None:
    """Of several tasks whose views this process has, be the one that it works for from now on.

    What the task's transform imports when it is called is then found where the task has it.
    """
    if settings.transform is None:
        return
    from processor.view import transform

    with contextlib.suppress(transform.TransformError):  # the folder is gone; what was loaded goes on
        transform.find_in(settings.transform_path)
