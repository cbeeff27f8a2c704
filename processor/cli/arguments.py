"""Properties file + environment + flags → one frozen ``Settings``.

Pure: it reads neither files nor the environment, both are passed in. ``definitions.py`` has the settings one by one.
The daemon's children get their ``Settings`` ready-made, and have no need of this.

Precedence: command line, then environment, then file, then default. A name that nobody knows is an error, for the
original ignored typing errors and replicated something else.
"""

from __future__ import annotations

import difflib
import re
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn
from urllib.parse import unquote, urlsplit

import configargparse
import javaproperties

from processor import __version__
from processor.cli.registry import COMMANDS, REPLICATE, Command
from processor.errors import UsageError
from processor.settings import kcl_properties, service_links
from processor.settings.definitions import BY_NAME, CHECKPOINT_TABLE_PREFIX, DEFINITIONS, ENVIRONMENT_PREFIX
from processor.settings.identity import Identity
from processor.settings.parsers import boolean
from processor.settings.settings import MAX_TABLE_NAME, Settings, default_task_name

_DESCRIPTION = "Keeps a DynamoDB table equal to another one, in real time."
_EPILOG = (
    "Every setting can stand in the properties file, in the environment (the name in brackets) or on the command line; "
    "the later of these wins. Any KCL MultiLangDaemon property may stand beside them. "
    "Exit status: 0 clean, 22 something that a person must put right first, 5 failed at run time or could not look, "
    "1 (redrive) some keys still fail, 1 (status) not healthy, 1 (verify) the tables differ, "
    "5 (status) not all of it could be read, 130 or 143 a command that was interrupted (not the replication: 0)."
)


class _PropertiesParser(configargparse.ConfigFileParser):  # type: ignore[misc]  # configargparse has no types
    """Hands configargparse a Java properties file."""

    def parse(self, stream: IO[str]) -> OrderedDict[str, str]:
        return OrderedDict(_load_properties(stream.read()))

    def get_syntax_description(self) -> str:
        return "The properties file has Java's .properties syntax."


class _Parser(configargparse.ArgumentParser):  # type: ignore[misc]  # configargparse has no types
    own_options: Collection[str] = ()

    def error(self, message: str) -> NoReturn:
        raise UsageError(message[:1].upper() + message[1:] + ". See --help.")


def parser(program: str, usage: str, command: Command = REPLICATE) -> configargparse.ArgumentParser:
    """The settings on the command line of one command; the properties file's name is not part of it.

    The command's own options are here for ``--help`` only, and for hints: ``commands.take`` has them by then.
    """
    made = _Parser(
        prog=program,
        usage=usage,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        allow_abbrev=False,
        add_config_file_help=False,
        add_help=False,
        config_file_parser_class=_PropertiesParser,
    )
    groups: dict[str, Any] = {}
    made.own_options = [option.name for option in command.options]
    if command.options:
        own = made.add_argument_group(f"Options of {command.name}")
        for option in command.options:
            option.add_to(own)
    for definition in DEFINITIONS:
        if definition.group not in groups:
            groups[definition.group] = made.add_argument_group(definition.group)
        flag = {"nargs": "?", "const": "true"} if definition.parse is boolean else {}
        groups[definition.group].add_argument(
            f"--{definition.name}",
            env_var=definition.environment,
            metavar="VALUE",
            help=f"{definition.help} (default: {definition.default_text})".replace("%", "%%").replace(
                "(default: required)", "(required)"
            ),
            **flag,
        )
    for name in kcl_properties.KINDS:
        if name not in BY_NAME:
            made.add_argument(f"--{name}", help=configargparse.SUPPRESS)
    groups["Process"].add_argument("--help", action="help", help="this text")
    groups["Process"].add_argument(
        "--version", action="version", version=f"{program} {__version__}", help="this program's version"
    )
    return made


def decoded(content: bytes) -> str:
    """The text of a properties file: UTF-8 where it is that, with or without a byte order mark; else Latin-1.

    Java reads Latin-1, and editors of today write UTF-8. ASCII is both, and no sentence in Latin-1 is valid UTF-8 by
    chance: that would take two characters in a row such as ``Ã©``. The daemon's JVM gets a file of our own.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def load(
    *,
    arguments: Sequence[str],
    properties: str,
    environment: Mapping[str, str],
    directory: Path,
    log_directory: Path,
    made: configargparse.ArgumentParser,
) -> Settings:
    """Read, check and complete the settings of one task.

    :param properties: the properties file's text; empty where there is none
    :param directory: where relative paths start
    :param log_directory: the default of ``logDirectory``
    :raises UsageError: for the first name or value that can't be used
    """
    written = _ours(_load_properties(properties))
    environment = service_links.without(environment)
    _refuse_misspelt(environment)
    for name in written:
        if name not in BY_NAME and name not in kcl_properties.DECIDED_BY and not kcl_properties.is_known(name):
            raise UsageError(_unknown(name))
    dotted = {
        name: value for name, value in written.items() if name not in BY_NAME and name not in kcl_properties.KINDS
    }
    known = {name: value for name, value in written.items() if name not in dotted}
    found, unknown = made.parse_known_args(
        args=_joined(arguments),
        config_file_contents=javaproperties.dumps(known, timestamp=False),
        env_vars=dict(environment),
    )
    if unknown:
        name = unknown[0].lstrip("-").split("=")[0]
        raise UsageError(_unknown(name, made.own_options) if unknown[0].startswith("-") else _stray(unknown[0]))
    given = {name: value for name, value in vars(found).items() if value is not None}
    kcl = {
        name: value for name, value in given.items() if name not in BY_NAME and name in kcl_properties.KINDS
    } | dotted
    kcl_properties.check_all(kcl)
    ours = {name: given[name] for name in BY_NAME if name in given}
    _refuse_unwritable(kcl | ours)
    return _complete(ours, kcl=kcl, directory=directory, log_directory=log_directory)


def _complete(given: Mapping[str, str], *, kcl: dict[str, str], directory: Path, log_directory: Path) -> Settings:
    values: dict[str, Any] = {}
    for definition in DEFINITIONS:
        text = given.get(definition.name) or definition.default
        if not text:
            if definition.required:
                message = (
                    f"{definition.name} is not set. Give {definition.help}: in the properties file, as "
                    f"--{definition.name}, or in {definition.environment}."
                )
                raise UsageError(message)
            values[definition.name] = None
            continue
        try:
            values[definition.name] = definition.parse(text)
        except ValueError as exc:
            message = f"{definition.name}: {exc}."
            raise UsageError(message) from exc

    source_endpoint = values["sourceEndpoint"]
    kcl_endpoint = values["kclEndpoint"] or (None if values["kclRegion"] else source_endpoint)
    task_name = values["taskName"] or default_task_name(
        values["sourceRegion"], values["sourceTable"], values["destinationRegion"], values["destinationTable"]
    )
    if len(CHECKPOINT_TABLE_PREFIX + task_name) > MAX_TABLE_NAME:
        message = (
            f"taskName has {len(task_name)} characters: with its prefix the checkpoint table's name would pass "
            f"DynamoDB's {MAX_TABLE_NAME}. Give one of {MAX_TABLE_NAME - len(CHECKPOINT_TABLE_PREFIX)} at most."
        )
        raise UsageError(message)
    if values["onError"] == "deadLetter" and not values["deadLetterUri"]:
        message = "onError=deadLetter needs deadLetterUri: without it a refused change would have nowhere to go."
        raise UsageError(message)
    return Settings(
        source_region=values["sourceRegion"],
        source_table=values["sourceTable"],
        source_endpoint=source_endpoint,
        source_streams_endpoint=values["sourceStreamsEndpoint"] or source_endpoint,
        source_identity=_identity(values, "source"),
        destination_region=values["destinationRegion"],
        destination_table=values["destinationTable"],
        destination_endpoint=values["destinationEndpoint"],
        destination_identity=_identity(values, "destination"),
        task_name=task_name,
        kcl_region=values["kclRegion"] or values["sourceRegion"],
        kcl_endpoint=kcl_endpoint,
        task_identity=_identity(values, "kcl"),
        batch_size=values["batchSize"],
        parent_shard_poll_interval_millis=values["parentShardPollIntervalMillis"],
        write_mode=values["writeMode"],
        fence_attribute=values["fenceAttribute"],
        coalesce=values["coalesce"],
        apply_threads=values["applyThreads"],
        copy_segments=values["copySegments"],
        copy_read_units=values["copyReadUnits"],
        copy_write_units=values["copyWriteUnits"],
        on_error=values["onError"],
        **_dead_letters(values["deadLetterUri"]),
        create_destination=values["createDestination"],
        destination_stream=values["destinationStream"],
        enable_stream=values["enableStream"],
        dont_publish_cloudwatch=values["dontPublishCloudwatch"],
        metrics_port=values["metricsPort"],
        metrics_address=values["metricsAddress"],
        heartbeat_seconds=values["heartbeatSeconds"],
        log_directory=str(directory / values["logDirectory"] if values["logDirectory"] else log_directory),
        log_configuration=str(directory / values["logConfiguration"]) if values["logConfiguration"] else None,
        log_format=values["logFormat"],
        allow_shared_folders=values["allowSharedFolders"],
        java_options=values["javaOptions"] or "",
        demo=values["demo"],
        demo_seconds=values["demoSeconds"],
        kcl=kcl,
    )


def _identity(values: Mapping[str, Any], side: str) -> Identity:
    """:param side: what its settings' names begin with"""
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
    parts = urlsplit(uri)
    if parts.scheme == "s3":
        return {
            "dead_letter_bucket": parts.netloc,
            "dead_letter_prefix": parts.path.strip("/"),
            "dead_letter_owner": parts.query.removeprefix("owner=") or None,
        }
    return {"dead_letter_path": unquote(parts.path)}


# KCL's name for something that a setting of ours says too.
_ALIASES = {
    "dynamoDBEndpoint": "kclEndpoint",
    "kinesisEndpoint": "sourceStreamsEndpoint",
    "maxRecords": "batchSize",
    "regionName": "kclRegion",
}


def _ours(written: Mapping[str, str]) -> dict[str, str]:
    """A file's entries under our names, where KCL has another name for the same."""
    ours: dict[str, str] = {}
    for name, value in written.items():
        kept = _ALIASES.get(name, name)
        if ours.setdefault(kept, value) != value:
            message = f"{kept} has two values, {ours[kept]} and {value}: {name} is KCL's name for it. Keep one of them."
            raise UsageError(message)
    return ours


def _refuse_misspelt(environment: Mapping[str, str]) -> None:
    known = [definition.environment for definition in DEFINITIONS]
    for name in environment:
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            if near:  # anything else of that prefix is somebody else's
                message = f"Unknown setting {name} in the environment. Did you mean {near[0]}?"
                raise UsageError(message)


def _refuse_unwritable(given: Mapping[str, str]) -> None:
    for name, value in given.items():
        if re.search(r"[\0\ud800-\udfff]", value):
            message = f"{name}: it has a NUL, or half of a character, which no file or program takes. Take it out."
            raise UsageError(message)


def _joined(arguments: Sequence[str]) -> list[str]:
    """``--name value`` as ``--name=value``: argparse takes a value such as ``-Xmx1g`` for an option of its own."""
    joined: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name = argument.removeprefix("--")
        definition = BY_NAME.get(name)
        takes_value = (definition and definition.parse is not boolean) or name in kcl_properties.KINDS
        if argument.startswith("--") and takes_value and rest and not _is_flag(rest[0]):
            argument += f"={rest.pop(0)}"
        name, equals, value = argument.removeprefix("--").partition("=")
        joined.append(f"--{_ALIASES[name]}{equals}{value}" if name in _ALIASES else argument)
    return joined


def _is_flag(argument: str) -> bool:
    name = argument.removeprefix("--").partition("=")[0]
    return argument.startswith("--") and (name in BY_NAME or name in kcl_properties.KINDS or name == "help")


def _load_properties(text: str) -> dict[str, str]:
    try:
        return javaproperties.loads(text)
    except javaproperties.InvalidUEscapeError as exc:
        message = f"The properties file has a broken Unicode escape: {exc}. Write \\u and four hexadecimal digits."
        raise UsageError(message) from exc


def _unknown(name: str, own_options: Collection[str] = ()) -> str:
    """:param own_options: of the command, where the name stood on its line"""
    if owners := [command.name for command in COMMANDS.values() if name in {each.name for each in command.options}]:
        return (
            f"Unknown setting {name}: it is an option, given on the command line of {' or '.join(owners)} as --{name}."
        )
    candidates = [*BY_NAME, *kcl_properties.KINDS, *own_options]
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    hint = f" Did you mean {by_lower[near[0]]}?" if near else " See --help for the settings there are."
    return f"Unknown setting {name}.{hint}"


def _stray(argument: str) -> str:
    return f"Unexpected argument '{argument}': one properties file and --name value pairs are all there is. See --help."
