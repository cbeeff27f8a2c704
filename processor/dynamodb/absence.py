"""Believes only at the second answer in a row that something is not there, because much depends on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from processor.errors import NotFoundError

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


def insisted(find: Callable[[], T | None]) -> T | None:
    """What is found; nothing (None, or an empty list) only where two answers in a row say so."""
    return find() or find()


def each_insisted(find: Callable[[Mapping[K, V]], dict[K, T]], keys: Mapping[K, V]) -> dict[K, T]:
    """What is found of each key; a key is left out only where two answers in a row lack it.

    :param find: is asked for all keys, and then for those that it did not find
    """
    found = find(keys)
    return found | find({name: key for name, key in keys.items() if name not in found})


def unless_missing(call: Callable[[], T]) -> T | None:
    """The same of what a table has; None as well if there is no such table.

    :raises UnavailableError: it failed in another way
    """

    def find() -> T | None:
        try:
            return call()
        except NotFoundError:
            return None

    return insisted(find)
