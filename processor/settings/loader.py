"""Turns the settings that were given, as text, into one frozen ``Settings``, completed and checked.

Pure: it reads neither files nor the environment. ``definitions.py`` defines each setting, and what it becomes in
``Settings``; here is only what depends on several settings. The daemon's children get their ``Settings`` ready-made,
and don't need this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import javaproperties

from processor.errors import MissingSettingError, UsageError
from processor.settings.definitions import CHECKPOINT_TABLE_PREFIX, DEFINITIONS
from processor.settings.identity import Identity
from processor.settings.letters_place import letters_place
from processor.settings.settings import MAX_TABLE_NAME, UPLINK_SUFFIX, Settings, default_task_name

# KCL's names for properties that are settings of ours, too.
ALIASES = {
    "dynamoDBEndpoint": "kclEndpoint",
    "kinesisEndpoint": "sourceStreamsEndpoint",
    "maxRecords": "batchSize",
    "regionName": "kclRegion",
}


def decoded(content: bytes) -> str:
    """The text of a properties file: UTF-8 if it is valid, with or without a byte order mark; otherwise Latin-1.

    Java reads Latin-1, and editors of today write UTF-8. ASCII is both, and no sentence in Latin-1 is valid UTF-8 by
    chance: that would take two characters in a row such as ``Ã©``. The daemon's JVM gets a file of our own.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def properties_of(text: str) -> dict[str, str]:
    """The entries of a properties file.

    :raises UsageError: it is not in Java's syntax
    """
    try:
        return javaproperties.loads(text)
    except javaproperties.InvalidUEscapeError as exc:
        message = f"The properties file has a broken Unicode escape: {exc}. Write \\u and four hexadecimal digits."
        raise UsageError(message) from exc


def ours(written: Mapping[str, str]) -> dict[str, str]:
    """A file's entries, with KCL's names replaced by ours if both mean the same."""
    ours: dict[str, str] = {}
    for name, value in written.items():
        kept = ALIASES.get(name, name)
        if ours.setdefault(kept, value) != value:
            message = f"{kept} has two values, {ours[kept]} and {value}: {name} is KCL's name for it. Keep one of them."
            raise UsageError(message)
    return ours


def refuse_unwritable(given: Mapping[str, str]) -> None:
    """Refuse characters that can't be in a file's name or a program's arguments.

    :raises UsageError: a value has one
    """
    for name, value in given.items():
        if re.search(r"[\0\ud800-\udfff]", value):
            message = f"{name}: it has a NUL, or half of a character, which no file or program takes. Take it out."
            raise UsageError(message)


def complete(given: Mapping[str, str], *, kcl: dict[str, str], directory: Path, log_directory: Path) -> Settings:
    """Parse what was given, fill in the defaults, and compute what depends on several settings.

    :param given: texts by their settings' names
    :param kcl: properties that are passed on to KCL
    :param directory: where relative paths start
    :param log_directory: the default of ``logDirectory``
    :raises UsageError: for the first value that can't be used, or is missing
    """
    values = _parsed(given)
    found = {each.fields[0]: values[each.name] for each in DEFINITIONS if not each.part_of}
    source_endpoint = values["sourceEndpoint"]
    found |= {
        "source_streams_endpoint": values["sourceStreamsEndpoint"] or source_endpoint,
        "task_name": _task_name(values),
        "kcl_region": values["kclRegion"] or values["sourceRegion"],
        "kcl_endpoint": values["kclEndpoint"] or (None if values["kclRegion"] else source_endpoint),
        "create_destination": values["createDestination"] or values["bootstrap"],
        "destination_stream": values["destinationStream"] or values["twoWay"],
        "enable_stream": values["enableStream"] or values["bootstrap"],
        "java_options": values["javaOptions"] or "",
        "log_directory": str(directory / values["logDirectory"] if values["logDirectory"] else log_directory),
        "transform_path": str(directory / values["transformPath"]) if values["transformPath"] else None,
        "log_configuration": str(directory / values["logConfiguration"]) if values["logConfiguration"] else None,
    }
    if values["onError"] == "deadLetter" and not values["deadLetterUri"]:
        message = "onError=deadLetter needs deadLetterUri: without it a refused change would have nowhere to go."
        raise UsageError(message)
    return Settings(
        **found,
        source_identity=_identity(values, "source"),
        destination_identity=_identity(values, "destination"),
        task_identity=_identity(values, "kcl"),
        direction="mirror" if values["twoWay"] else None,
        **_dead_letters(values["deadLetterUri"]),
        kcl=kcl,
    )


def _parsed(given: Mapping[str, str]) -> dict[str, Any]:
    """Every setting's value by its name."""
    values: dict[str, Any] = {}
    for definition in DEFINITIONS:
        text = given.get(definition.name) or definition.default
        if not text:
            if definition.required:
                message = (
                    f"{definition.name} is not set. Give {definition.help}: in the properties file, as "
                    f"--{definition.name}, or in {definition.environment}."
                )
                raise MissingSettingError(message)
            values[definition.name] = None
            continue
        try:
            values[definition.name] = definition.parse(text)
        except ValueError as exc:
            message = f"{definition.name}: {exc}."
            raise UsageError(message) from exc
    return values


def _task_name(values: Mapping[str, Any]) -> str:
    task_name: str = values["taskName"] or default_task_name(
        values["sourceRegion"], values["sourceTable"], values["destinationRegion"], values["destinationTable"]
    )
    longest = MAX_TABLE_NAME - len(CHECKPOINT_TABLE_PREFIX) - (len(UPLINK_SUFFIX) if values["twoWay"] else 0)
    if len(task_name) > longest:
        message = (
            f"taskName has {len(task_name)} characters: with its prefix{' and suffix' if values['twoWay'] else ''} the "
            f"checkpoint table's name would pass DynamoDB's {MAX_TABLE_NAME}. Give one of {longest} at most."
        )
        raise UsageError(message)
    return task_name


def _identity(values: Mapping[str, Any], side: str) -> Identity:
    """:param side: the beginning of its settings' names"""
    role_arn = values[f"{side}RoleArn"]
    given = {"external_id": values[f"{side}RoleExternalId"], "session_name": values[f"{side}RoleSessionName"]}
    given = {name: value for name, value in given.items() if value is not None}
    if given and role_arn is None:
        name = f"{side}RoleExternalId" if "external_id" in given else f"{side}RoleSessionName"
        message = f"{name} is set, but no {side}RoleArn: there is no role to assume with it. Set both, or neither."
        raise UsageError(message)
    profile, sts_region = values.get(f"{side}Profile"), values["stsRegion"]
    return Identity(profile=profile, role_arn=role_arn, sts_region=sts_region, **given)


def _dead_letters(uri: str | None) -> dict[str, Any]:
    if not uri:
        return {}
    return {f"dead_letter_{name}": value for name, value in letters_place(uri)._asdict().items()}
