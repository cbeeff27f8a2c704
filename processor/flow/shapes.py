"""Types that values from outside are held against, each made ready by one thread at a time.

msgspec makes a type ready where it is first used, and other threads see it before the types of all its fields are
there (0.22, ``StructInfo_Convert_lock_held`` in its ``_core.c``; only builds of Python without a global lock wait
there). So two threads whose first values came at the same moment could end the process with a segmentation fault.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_making = threading.RLock()
_ready: set[Any] = set()

# A process that is forked meanwhile would have the lock for ever, and a type that never gets ready.
os.register_at_fork(before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release)


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """What reads JSON of this type, any number of times and in any thread.

    :raises TypeError: msgspec does not know such a type
    """
    with _making:
        return msgspec.json.Decoder(kind)


def decode(text: bytes | str, kind: type[T]) -> T:
    """The value that JSON has of this type.

    :raises msgspec.DecodeError: it is no JSON, or has another type
    """
    _make_ready(kind)
    return msgspec.json.decode(text, type=kind)


def convert(value: object, kind: type[T], *, builtin_types: Iterable[type] | None = None) -> T:
    """The same of a value that was read before; see msgspec's function of this name.

    :raises msgspec.DecodeError: it has another type
    """
    _make_ready(kind)
    return msgspec.convert(value, kind, builtin_types=builtin_types)


def _make_ready(kind: Any) -> None:
    if kind not in _ready:
        decoder(kind)
        _ready.add(kind)
