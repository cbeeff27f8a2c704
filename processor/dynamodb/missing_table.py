"""Believes that a table, a row or all rows are missing only at the second answer in a row: much depends on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from processor.errors import NotFoundError

T = TypeVar("T")

_ANSWERS = 2


def unless_missing(call: Callable[[], T]) -> T | None:
    """What ``call`` returns, or None if its table does not exist.

    :param call: asked once more where it finds nothing: no row, or a list without rows
    :raises UnavailableError: it failed in another way
    """
    found: T | None = None
    for _ in range(_ANSWERS):
        try:
            found = call()
        except NotFoundError:
            continue
        if found:
            break
    return found
