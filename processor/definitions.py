"""The one definition of every setting: name, group, help, what a value may be, default.

``--help`` is made from it; tests hold the properties template and the README's table to it.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from processor.identity import SESSION_NAME

# The original's prefix of every checkpoint table's name.
CHECKPOINT_TABLE_PREFIX = "DynamoDBCrossRegionReplication"
ENVIRONMENT_PREFIX = "REPLICATION_"

# --- What a value may be -------------------------------------------------------------------------------------------


def boolean(value: str) -> bool:
    """``true`` or ``false``, in any case."""
    if value.strip().lower() not in {"true", "false"}:
        message = f"'{value}' is neither true nor false"
        raise ValueError(message)
    return value.strip().lower() == "true"


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Digits of a number in these bounds, both included."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"\d+", value.strip()) or not lowest <= int(value) <= highest:
            message = f"'{value}' is not a whole number from {lowest} to {highest}"
            raise ValueError(message)
        return int(value)

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            message = f"'{value}' is none of {', '.join(choices)}"
            raise ValueError(message)
        return value

    return parse


def _matching(pattern: str, what: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            message = f"'{value}' is not {what}"
            raise ValueError(message)
        return value

    return parse


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    try:
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number
        usable = False
    if "@" in parts.netloc:
        message = (
            "an endpoint with a user or a password in it can't be used. Leave them out; credentials come otherwise"
        )
        raise ValueError(message)
    if not usable or parts.query or not value.isprintable():
        message = f"'{value}' is not an endpoint such as https://host or http://localhost:8000"
        raise ValueError(message)
    return value


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        message = f"'{value}' is not an IP address, such as 0.0.0.0, 127.0.0.1 or ::"
        raise ValueError(message) from None


def _letters_uri(value: str) -> str:
    parts = urlsplit(value)
    to_file = parts.scheme == "file" and not (parts.netloc or parts.query or parts.fragment)
    if to_file and parts.path.startswith("/") and not parts.path.endswith("/") and unquote(parts.path).isprintable():
        return value
    # Names of buckets, and of objects without a character that needs care (S3 user guide, naming); KCL's shard and the
    # change's number follow, within S3's 1024 bytes.
    if re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[a-zA-Z0-9!_.*'()=-]+)*/?", value) and len(value) <= 512:  # noqa: PLR2004
        return value
    message = (
        f"'{value}' is neither a file's URI such as file:///var/lib/replicator/dead-letters.jsonl nor a place in a "
        "bucket such as s3://bucket/prefix"
    )
    raise ValueError(message)


def _options(value: str) -> str:
    try:
        shlex.split(value)
    except ValueError as exc:
        message = f"it can't be split into options ({str(exc).lower()})"  # a password may stand in it
        raise ValueError(message) from exc
    return value


def _units(value: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,8}|(100|[1-9]\d?)%", value.strip()):
        message = f"'{value}' is neither units a second, such as 500, nor a percentage of the table's, such as 50%"
        raise ValueError(message)
    return value.strip()


_region = _matching(r"[a-z0-9-]{2,63}", "a region's name, such as eu-west-1")
_table = _matching(r"[a-zA-Z0-9_.-]{3,255}", "a table's name (3 to 255 of a-z, A-Z, 0-9, '_', '-', '.')")
_profile = _matching(r"[^\s\[\]]([^\[\]\r\n]*[^\s\[\]])?", "a profile's name, such as production")
_role = _matching(
    r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", "a role's ARN, such as arn:aws:iam::123456789012:role/reader"
)
# IAM's own (STS API reference, AssumeRole).
_external_id = _matching(r"[\w+=,.@:/-]{2,1224}", "an external id (2 to 1224 of letters, digits and _+=,.@:/-)")
_session_name = _matching(r"[\w+=,.@-]{2,64}", "a session's name (2 to 64 of letters, digits and _+=,.@-)")


# --- The settings themselves ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One setting, as users see it."""

    name: str
    group: str
    help: str
    parse: Callable[[str], Any] = str
    default: str | None = None
    default_is: str | None = None  # in words, where the default is worked out
    required: bool = False

    @property
    def environment(self) -> str:
        """``sourceRegion`` → ``REPLICATION_SOURCE_REGION``."""
        return ENVIRONMENT_PREFIX + re.sub(r"([A-Z])", r"_\1", self.name).upper()

    @property
    def default_text(self) -> str:
        """The default in a word or two, for people."""
        return "required" if self.required else self.default or self.default_is or "none"


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        name="sourceRegion", group="Source", parse=_region, required=True, help="signing region of the table to read"
    ),
    Definition(
        name="sourceTable", group="Source", parse=_table, required=True, help="table to read; its stream must be on"
    ),
    Definition(
        name="sourceEndpoint",
        group="Source",
        parse=_endpoint,
        default_is="the region's own",
        help="endpoint of the source table",
    ),
    Definition(
        name="sourceStreamsEndpoint",
        group="Source",
        parse=_endpoint,
        default_is="sourceEndpoint, else the region's own",
        help="endpoint of the source table's stream",
    ),
    Definition(
        name="sourceRoleArn",
        group="Source",
        parse=_role,
        help="role to assume for reading the source table and its stream",
    ),
    Definition(
        name="sourceRoleExternalId",
        group="Source",
        parse=_external_id,
        help="external id that the role's trust policy asks for",
    ),
    Definition(
        name="sourceRoleSessionName",
        group="Source",
        parse=_session_name,
        default_is=SESSION_NAME,
        help="name of the role's session, as CloudTrail shows it",
    ),
    Definition(
        name="sourceProfile",
        group="Source",
        parse=_profile,
        default_is="the SDK's usual credentials",
        help="profile of the AWS configuration files that reads the source, or assumes sourceRoleArn",
    ),
    Definition(
        name="destinationRegion",
        group="Destination",
        parse=_region,
        required=True,
        help="signing region of the table to write",
    ),
    Definition(
        name="destinationTable",
        group="Destination",
        parse=_table,
        required=True,
        help="table to write; it must exist, or see createDestination",
    ),
    Definition(
        name="destinationEndpoint",
        group="Destination",
        parse=_endpoint,
        default_is="the region's own",
        help="endpoint of the destination table",
    ),
    Definition(
        name="destinationRoleArn",
        group="Destination",
        parse=_role,
        help="role to assume for writing the destination table",
    ),
    Definition(
        name="destinationRoleExternalId",
        group="Destination",
        parse=_external_id,
        help="external id that the role's trust policy asks for",
    ),
    Definition(
        name="destinationRoleSessionName",
        group="Destination",
        parse=_session_name,
        default_is=SESSION_NAME,
        help="name of the role's session, as CloudTrail shows it",
    ),
    Definition(
        name="destinationProfile",
        group="Destination",
        parse=_profile,
        default_is="the SDK's usual credentials",
        help="profile that writes the destination, or assumes destinationRoleArn",
    ),
    Definition(
        name="taskName",
        group="Checkpoints",
        parse=_matching(r"(?!\.{1,2}$)[a-zA-Z0-9_.-]+", "a task's name (a-z, A-Z, 0-9, '_', '-', '.')"),
        default_is="MD5 of the two regions and tables",
        help=f"name that the daemons of one task share; its checkpoint table is {CHECKPOINT_TABLE_PREFIX} and this",
    ),
    Definition(
        name="kclRegion",
        group="Checkpoints",
        parse=_region,
        default_is="sourceRegion",
        help="region of the checkpoint table",
    ),
    Definition(
        name="kclEndpoint",
        group="Checkpoints",
        parse=_endpoint,
        default_is="sourceEndpoint, or kclRegion's own where that is set",
        help="endpoint of the checkpoint table",
    ),
    Definition(
        name="kclRoleArn",
        group="Checkpoints",
        parse=_role,
        help="role to assume for the checkpoint tables, CloudWatch, and dead letters on S3",
    ),
    Definition(
        name="kclRoleExternalId",
        group="Checkpoints",
        parse=_external_id,
        help="external id that the role's trust policy asks for",
    ),
    Definition(
        name="kclRoleSessionName",
        group="Checkpoints",
        parse=_session_name,
        default_is=SESSION_NAME,
        help="name of the role's session, as CloudTrail shows it",
    ),
    Definition(
        name="batchSize",
        group="Reading",
        parse=whole_number(1, 1000),
        default="1000",
        help="records asked of each GetRecords call, 1 to 1000",
    ),
    Definition(
        name="parentShardPollIntervalMillis",
        group="Reading",
        parse=whole_number(1, 3_600_000),
        default="1000",
        help="how often a new shard looks whether its parent is finished",
    ),
    Definition(
        name="writeMode",
        group="Writing",
        parse=_one_of("batch", "item", "fenced"),
        default="batch",
        help="batch: BatchWriteItem, 25 changes a call; item: PutItem and DeleteItem, one by one; "
        "fenced: item, never over a newer change",
    ),
    Definition(
        name="fenceAttribute",
        group="Writing",
        parse=_matching(r"[^\x00-\x1f]{1,255}", "an attribute's name"),
        default="_replicatedSequenceNumber",
        help="attribute in which writeMode=fenced keeps each item's sequence number",
    ),
    Definition(
        name="coalesce",
        group="Writing",
        parse=boolean,
        default="true",
        help="write only a key's last change of each batch read; false writes every one",
    ),
    Definition(
        name="applyThreads",
        group="Writing",
        parse=whole_number(1, 256),
        default="8",
        help="write calls in flight at once, for each shard",
    ),
    Definition(
        name="createDestination",
        group="Copy",
        parse=boolean,
        default="false",
        help="copy makes the destination table as the source is, where it does not exist",
    ),
    Definition(
        name="destinationStream",
        group="Copy",
        parse=boolean,
        default="false",
        help="a table that createDestination makes has a stream of its own",
    ),
    Definition(
        name="enableStream",
        group="Copy",
        parse=boolean,
        default="false",
        help="copy turns the source's stream on where it is off, with NEW_AND_OLD_IMAGES",
    ),
    Definition(
        name="copySegments",
        group="Copy",
        parse=whole_number(1, 1_000_000),
        default_is="by the table's size",
        help="parts that the copy is made in",
    ),
    Definition(
        name="copyReadUnits",
        group="Copy",
        parse=_units,
        default_is="no limit",
        help="read units a second that the copy may use, or a percentage of the source's provisioned capacity (50%)",
    ),
    Definition(
        name="copyWriteUnits",
        group="Copy",
        parse=_units,
        default_is="no limit",
        help="write units a second that the copy may use, or a percentage of the destination's (50%)",
    ),
    Definition(
        name="onError",
        group="Failures",
        parse=_one_of("stop", "deadLetter"),
        default="stop",
        help="where the destination will never accept a change: stop ends and keeps it, deadLetter sets it aside",
    ),
    Definition(
        name="deadLetterUri",
        group="Failures",
        parse=_letters_uri,
        help="where onError=deadLetter puts them: file:///path/name.jsonl or s3://bucket/prefix; they hold whole items",
    ),
    Definition(
        name="dontPublishCloudwatch",
        group="Metrics",
        parse=boolean,
        default="false",
        help="publish no CloudWatch metrics",
    ),
    Definition(
        name="metricsPort",
        group="Metrics",
        parse=whole_number(1, 65_535),
        help="port on which Prometheus finds the metrics; the next daemon of a task on one machine takes the next one",
    ),
    Definition(
        name="metricsAddress",
        group="Metrics",
        parse=_address,
        default="0.0.0.0",  # noqa: S104  # whoever names a port wants to be scraped, which is from elsewhere as a rule
        help="address that metricsPort listens on",
    ),
    Definition(
        name="heartbeatSeconds",
        group="Metrics",
        parse=whole_number(1, 3600),
        default_is="no heartbeat",
        help="write a small item to the source so often, to measure the lag where nothing else is written",
    ),
    Definition(
        name="logDirectory",
        group="Process",
        default_is="logs, beside run.sh; of a wheel ~/.local/state/dynamodb-replicator",
        help="kcl.log and replication.log are written to <logDirectory>/<taskName>/",
    ),
    Definition(
        name="logConfiguration",
        group="Process",
        default_is="properties/logback.xml",
        help="logback file that replaces ours",
    ),
    Definition(
        name="logFormat",
        group="Process",
        parse=_one_of("text", "json"),
        default="text",
        help="text: a line reads time, level, event, name=value; json: one object a line, with the same names",
    ),
    Definition(
        name="javaOptions",
        group="Process",
        parse=_options,
        help="more options for the daemon's JVM; its heap is -Xmx1g, enough for some 40 shards in a backlog",
    ),
    Definition(
        name="demo",
        group="Demo",
        parse=boolean,
        default="false",
        help="replicate between two tables of an embedded DynamoDB Local that are written to all the while",
    ),
    Definition(
        name="demoSeconds",
        group="Demo",
        parse=whole_number(1, 86_400),
        default_is="until Ctrl-C",
        help="write for so long, wait until the tables are equal, and end: with 0, or with 1 and the keys that differ",
    ),
)
BY_NAME: Mapping[str, Definition] = {definition.name: definition for definition in DEFINITIONS}
