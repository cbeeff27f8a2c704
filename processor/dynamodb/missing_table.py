"""Believes that a table is missing only at the second answer in a row, because much depends on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from processor.errors import NotFoundError

T = TypeVar("T")

_ANSWERS = 2


def unless_missing(call: Callable[[], T]) -> T | None:
    """What ``call`` returns, or None if its table does not exist.

    :raises UnavailableError: it failed in another way
    """
    for _ in range(_ANSWERS):
        try:
            return call()
        except NotFoundError:
            continue
    return None
