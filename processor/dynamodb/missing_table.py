"""A table that is not there, believed at the second answer in a row: much is decided by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from processor.errors import NotFoundError

T = TypeVar("T")

_ANSWERS = 2


def unless_missing(call: Callable[[], T]) -> T | None:
    """What ``call`` returns, or None where the table it asks does not exist.

    :raises UnavailableError: it failed otherwise
    """
    for _ in range(_ANSWERS):
        try:
            return call()
        except NotFoundError:
            continue
    return None
