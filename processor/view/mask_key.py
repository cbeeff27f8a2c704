"""Reads the key of ``maskAttributes``, from the environment or from a file. It is never written anywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from processor.reporting import secrets

# What nobody can guess. HMAC itself takes any key; NIST SP 800-107 asks for as many bits as the hash is to be strong.
LEAST_BYTES = 16
_ENVIRONMENT = "env:"
# A key is some dozens of bytes; this only keeps a wrong path from being read for ever.
_MOST_BYTES = 64 * 1024


class MaskKeyError(Exception):
    """There is no usable key, or it ``is_weak``; the text is a clause without the key."""

    def __init__(self, text: str, *, is_weak: bool = False) -> None:
        super().__init__(text)
        self.is_weak = is_weak


def read(place: str, environment: Mapping[str, str] = os.environ) -> bytes:
    """The key; white space around it does not count.

    :param place: ``env:NAME`` or ``file:///path``
    :raises MaskKeyError: there is none that can be used
    """
    if place.startswith(_ENVIRONMENT):
        name = place.removeprefix(_ENVIRONMENT)
        content = os.fsencode(environment.get(name, ""))
        where = f"the variable {name} of the environment"
    else:
        path = path_of(place)
        where = str(path)
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES)
        except OSError as exc:
            raise MaskKeyError(f"{where} can't be read ({exc.strerror})") from exc
    key = content.strip()
    if not key:
        raise MaskKeyError(f"{where} is empty, or not there")
    if len(key) < LEAST_BYTES:
        raise MaskKeyError(f"{where} has {len(key)} bytes; {LEAST_BYTES} are the least", is_weak=True)
    secrets.remember(key.decode("utf-8", "replace"))
    return key


def path_of(place: str) -> Path:
    """The file of ``file:///path``."""
    return Path(unquote(urlsplit(place).path))
