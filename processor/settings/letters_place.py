"""Where whole items are kept for a person: in a file, or as objects in a bucket. Pure."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit


class LettersPlace(NamedTuple):
    """A file's path; or a bucket, a prefix without a slash at its ends, and the account that must own it, if known."""

    path: str | None = None
    bucket: str | None = None
    prefix: str = ""
    owner: str | None = None


def letters_place(uri: str) -> LettersPlace:
    """The place that a setting names.

    :param uri: as ``parsers.letters_uri`` accepts it
    """
    parts = urlsplit(uri)
    if parts.scheme == "s3":
        return LettersPlace(
            bucket=parts.netloc,
            prefix=parts.path.strip("/"),
            owner=parts.query.removeprefix("owner=") or None,
        )
    return LettersPlace(path=unquote(parts.path))
