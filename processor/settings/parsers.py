"""Parses the value of a setting or an option: each function takes the text, and raises ``ValueError`` with a message.

Pure.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from processor.settings import attribute_paths


def boolean(value: str) -> bool:
    """``true`` or ``false``, in any case."""
    if value.strip().lower() not in {"true", "false"}:
        message = f"'{value}' is neither true nor false"
        raise ValueError(message)
    return value.strip().lower() == "true"


def whole_number(lowest: int, highest: int, *, reason: str = "") -> Callable[[str], int]:
    """Digits of a number in these bounds, both included; a refusal ends with ``reason``, if there is one."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"\d+", value.strip()) or not lowest <= int(value) <= highest:
            message = f"'{value}' is not a whole number from {lowest} to {highest}" + (reason and f"; {reason}")
            raise ValueError(message)
        return int(value)

    return parse


def period(lowest: int, highest: int) -> Callable[[str], int]:
    """Seconds, of text such as ``24h``, in these bounds, both included; or 0, of ``off``."""

    def parse(value: str) -> int:
        found = re.fullmatch(r"(\d{1,9})\s?(s|min|h|d)", value.strip())
        seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
        if value.strip().lower() != "off" and not lowest <= seconds <= highest:
            message = (
                f"'{value}' is neither off nor a time from {lowest} s to {highest // 86_400} d, as 90min, 24h or 7d"
            )
            raise ValueError(message)
        return seconds

    return parse


class OneOf:
    """One of these words, as they are written; ``choices`` are for whoever offers them to a person."""

    def __init__(self, *choices: str) -> None:
        self.choices = choices

    def __call__(self, value: str) -> str:
        """:raises ValueError: it is none of them"""
        if value not in self.choices:
            message = f"'{value}' is none of {', '.join(self.choices)}"
            raise ValueError(message)
        return value


def matching(pattern: str, what: str) -> Callable[[str], str]:
    """Text that the whole of ``pattern`` matches; ``what`` says in words what that is."""

    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            message = f"'{value}' is not {what}"
            raise ValueError(message)
        return value

    return parse


def endpoint(value: str) -> str:
    """A URL of scheme and host, without a user, a password or a query."""
    parts = urlsplit(value)
    try:
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # the port is not a number
        usable = False
    if "@" in parts.netloc:
        message = (
            "an endpoint with a user or a password in it can't be used. Leave them out; credentials come otherwise"
        )
        raise ValueError(message)
    if not usable or parts.query or not value.isprintable():
        message = f"'{value}' is not an endpoint such as https://host or http://localhost:8000"
        raise ValueError(message)
    if "_" in (parts.hostname or ""):
        message = (
            f"'{value}' has an underscore in its host, which is in no host's name (RFC 952): the AWS SDKs of both "
            "Python and Java refuse it. Give that host a name without, as a network alias, or write its address"
        )
        raise ValueError(message)
    return value


def address(value: str) -> str:
    """An IP address, of either kind, in its usual notation."""
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        message = f"'{value}' is not an IP address, such as 0.0.0.0, 127.0.0.1 or ::"
        raise ValueError(message) from None


def letters_uri(value: str) -> str:
    """Where dead letters go: ``file:///path/name``, or ``s3://bucket/prefix``, optionally with ``?owner=``."""
    parts = urlsplit(value)
    to_file = parts.scheme == "file" and not (parts.netloc or parts.query or parts.fragment)
    if to_file and parts.path.startswith("/") and not parts.path.endswith("/") and unquote(parts.path).isprintable():
        return value
    # Names of buckets, and of objects without a character that needs care (S3 user guide, naming); KCL's shard and the
    # change's number follow, within S3's 1024 bytes.
    place = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[a-zA-Z0-9!_.*'()=-]+)*/?(\?owner=\d{12})?"
    if re.fullmatch(place, value, re.ASCII) and len(value) <= 512:  # noqa: PLR2004
        return value
    message = (
        f"'{value}' is neither a file's URI such as file:///var/lib/replicator/dead-letters.jsonl nor a place in a "
        "bucket such as s3://bucket/prefix or s3://bucket/prefix?owner=123456789012"
    )
    raise ValueError(message)


def options(value: str) -> str:
    """Options of a command line, quoted as in a shell."""
    try:
        shlex.split(value)
    except ValueError as exc:
        message = f"it can't be split into options ({str(exc).lower()})"  # without the value, which may have a password
        raise ValueError(message) from exc
    return value


def units(value: str) -> str:
    """Capacity units a second, ``500``, or a part of the table's own, ``50%``."""
    if not re.fullmatch(r"[1-9]\d{0,8}|(100|[1-9]\d?)%", value.strip()):
        message = f"'{value}' is neither units a second, such as 500, nor a percentage of the table's, such as 50%"
        raise ValueError(message)
    return value.strip()


def names(value: str) -> dict[str, str]:
    """A JSON object of names, as ``{"#s": "status"}``."""
    found = _json_object(value, 'names such as {"#s": "status"}')
    if not all(name.startswith("#") and isinstance(attribute, str) for name, attribute in found.items()):
        message = 'each of its names must begin with # and stand for a text, as in {"#s": "status"}'
        raise ValueError(message)
    return found


def values(value: str) -> dict[str, Any]:
    """A JSON object of values in DynamoDB JSON, as ``{":s": {"S": "paid"}}``."""
    found = attributes(value)
    if not all(name.startswith(":") for name in found):
        message = 'each of its names must begin with a colon, as in {":s": {"S": "paid"}}'
        raise ValueError(message)
    return found


def attributes(value: str) -> dict[str, Any]:
    """A JSON object of attributes in DynamoDB JSON, as ``{"region": {"S": "eu"}}``."""
    found = _json_object(value, 'attributes in DynamoDB JSON, such as {"region": {"S": "eu"}}')
    for name, content in found.items():
        if not isinstance(content, dict) or len(content) != 1:
            message = f'\'{name}\' has no value in DynamoDB JSON, such as {{"S": "eu"}}'
            raise ValueError(message)
    return found


def _json_object(value: str, what: str) -> dict[str, Any]:
    try:
        found = json.loads(value, object_pairs_hook=_without_repeats)
    except RecursionError:
        message = "it is nested too deeply"
        raise ValueError(message) from None
    except ValueError as exc:
        message = f"it is no JSON object of {what} ({exc})"
        raise ValueError(message) from None
    if not isinstance(found, dict):
        message = f"it is no JSON object of {what}"
        raise ValueError(message)  # noqa: TRY004  # what every parser raises
    return found


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a name stands in it twice"
        raise ValueError(message)
    return found


def renames(value: str) -> dict[str, str]:
    r"""``old=new`` between commas; a name's own characters are ``\=``, ``\,`` and ``\\``."""
    found: dict[str, str] = {}
    for part in attribute_paths.split(value):
        match = _RENAME.fullmatch(part)
        if match is None:
            message = f"'{part}' is not old=new. Give them as in status=orderStatus, ts=updatedAt"
            raise ValueError(message)
        old, new = (attribute_paths.unescaped(name.strip()) for name in match.groups())
        if old in found or old == new or not old or not new:
            message = f"'{old}' is renamed twice, or to itself"
            raise ValueError(message)
        found[old] = new
    if not found:
        message = f"'{value}' is not old=new. Give them as in status=orderStatus, ts=updatedAt"
        raise ValueError(message)
    return found


def key_place(value: str) -> str:
    """Where a key is: ``env:NAME`` or ``file:///path``. No message has the value, which may be the key itself."""
    parts = urlsplit(value) if value.startswith("file:") else None
    if re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]{0,127}", value) or (
        parts
        and not (parts.netloc or parts.query or parts.fragment)
        and re.fullmatch(r"/.*[^/]", parts.path)
        and unquote(parts.path).isprintable()
    ):
        return value
    message = (
        "it says where the key is, as env:NAME or file:///path/of/the/key, and is never the key itself. If it was, "
        "take another key: this one may be in a file or a list of processes now"
    )
    raise ValueError(message)


_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_RENAME = re.compile(r"((?:[^\\=]|\\.)+)=((?:[^\\=]|\\.)+)")

function = matching(
    r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", "a function of a module, such as my_transforms:without_personal_data"
)
region = matching(r"[a-z0-9-]{2,63}", "a region's name, such as eu-west-1")
table = matching(r"[a-zA-Z0-9_.-]{3,255}", "a table's name (3 to 255 of a-z, A-Z, 0-9, '_', '-', '.')")
profile = matching(r"[^\s\[\]]([^\[\]\r\n]*[^\s\[\]])?", "a profile's name, such as production")
role = matching(
    r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", "a role's ARN, such as arn:aws:iam::123456789012:role/reader"
)
# IAM's own (STS API reference, AssumeRole).
external_id = matching(r"[\w+=,.@:/-]{2,1224}", "an external id (2 to 1224 of letters, digits and _+=,.@:/-)")
session_name = matching(r"[\w+=,.@-]{2,64}", "a session's name (2 to 64 of letters, digits and _+=,.@-)")
