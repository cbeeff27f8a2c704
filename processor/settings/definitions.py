"""The one list of settings: name, group, help, what a value may be, default, and what it becomes in ``Settings``.

Pure. ``--help`` is made from it, and ``loader.py`` follows it. Tests hold the fields of ``Settings`` and their types,
the properties template and the README's table to it. So to add a setting, add an entry here, and then what the tests
ask for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from processor.settings import attribute_paths, kcl_properties, parsers
from processor.settings.identity import SESSION_NAME
from processor.settings.notify_place import notify_uri

# The original's prefix of every checkpoint table's name.
CHECKPOINT_TABLE_PREFIX = "DynamoDBCrossRegionReplication"
ENVIRONMENT_PREFIX = "REPLICATION_"

_WORD = re.compile(r"([A-Z])")
_IDENTITIES = ("source_identity", "destination_identity", "task_identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One setting, as users see it.

    ``part_of`` are the fields of ``Settings`` into which it goes if it has no field of its own.
    """

    name: str
    group: str
    help: str
    parse: Callable[[str], Any] = str
    default: str | None = None
    default_is: str | None = None  # the default in words, if it is computed
    required: bool = False
    part_of: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Its fields in ``Settings``: ``sourceRegion`` → ``source_region``, or those of ``part_of``."""
        return self.part_of or (_WORD.sub(r"_\1", self.name).lower(),)

    @property
    def environment(self) -> str:
        """``sourceRegion`` → ``REPLICATION_SOURCE_REGION``."""
        return ENVIRONMENT_PREFIX + _WORD.sub(r"_\1", self.name).upper()

    @property
    def default_text(self) -> str:
        """The default in a word or two, for people."""
        return "required" if self.required else self.default or self.default_is or "none"


def _role(side: str, group: str, purpose: str, *, identity: str) -> tuple[Definition, ...]:
    """The settings of a side's role, which together become its identity."""
    return (
        Definition(
            name=f"{side}RoleArn",
            group=group,
            parse=parsers.role,
            part_of=(identity,),
            help=f"role to assume for {purpose}",
        ),
        Definition(
            name=f"{side}RoleExternalId",
            group=group,
            parse=parsers.external_id,
            part_of=(identity,),
            help="external id that the role's trust policy asks for",
        ),
        Definition(
            name=f"{side}RoleSessionName",
            group=group,
            parse=parsers.session_name,
            part_of=(identity,),
            default_is=SESSION_NAME,
            help="name of the role's session, as CloudTrail shows it",
        ),
    )


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        name="sourceRegion",
        group="Source",
        parse=parsers.region,
        required=True,
        help="signing region of the table to read",
    ),
    Definition(
        name="sourceTable",
        group="Source",
        parse=parsers.table,
        required=True,
        help="table to read; its stream must be on",
    ),
    Definition(
        name="sourceEndpoint",
        group="Source",
        parse=parsers.endpoint,
        default_is="the region's own",
        help="endpoint of the source table",
    ),
    Definition(
        name="sourceStreamsEndpoint",
        group="Source",
        parse=parsers.endpoint,
        default_is="sourceEndpoint, else the region's own",
        help="endpoint of the source table's stream",
    ),
    *_role("source", "Source", "reading the source table and its stream", identity="source_identity"),
    Definition(
        name="sourceProfile",
        group="Source",
        parse=parsers.profile,
        part_of=("source_identity",),
        default_is="the SDK's usual credentials",
        help="profile of the AWS configuration files that reads the source, or assumes sourceRoleArn",
    ),
    Definition(
        name="destinationRegion",
        group="Destination",
        parse=parsers.region,
        required=True,
        help="signing region of the table to write",
    ),
    Definition(
        name="destinationTable",
        group="Destination",
        parse=parsers.table,
        required=True,
        help="table to write; it must exist, or see createDestination",
    ),
    Definition(
        name="destinationEndpoint",
        group="Destination",
        parse=parsers.endpoint,
        default_is="the region's own",
        help="endpoint of the destination table",
    ),
    *_role("destination", "Destination", "writing the destination table", identity="destination_identity"),
    Definition(
        name="destinationProfile",
        group="Destination",
        parse=parsers.profile,
        part_of=("destination_identity",),
        default_is="the SDK's usual credentials",
        help="profile that writes the destination, or assumes destinationRoleArn",
    ),
    Definition(
        name="taskName",
        group="Checkpoints",
        parse=parsers.matching(r"(?!\.{1,2}$)[a-zA-Z0-9_.-]+", "a task's name (a-z, A-Z, 0-9, '_', '-', '.')"),
        default_is="MD5 of the two regions and tables",
        help=f"name that the daemons of one task share; its checkpoint table is {CHECKPOINT_TABLE_PREFIX} and this",
    ),
    Definition(
        name="kclRegion",
        group="Checkpoints",
        parse=parsers.region,
        default_is="sourceRegion",
        help="region of the checkpoint table",
    ),
    Definition(
        name="kclEndpoint",
        group="Checkpoints",
        parse=parsers.endpoint,
        default_is="sourceEndpoint, or kclRegion's own where that is set",
        help="endpoint of the checkpoint table",
    ),
    *_role("kcl", "Checkpoints", "the checkpoint tables, CloudWatch, and dead letters on S3", identity="task_identity"),
    Definition(
        name="stsRegion",
        group="Checkpoints",
        parse=parsers.region,
        part_of=_IDENTITIES,
        default_is="that of the caller's profile or of AWS_REGION, else that of the side",
        help="region whose STS is asked for all roles",
    ),
    Definition(
        name="checkpointIntervalMillis",
        group="Checkpoints",
        parse=parsers.whole_number(0, 300_000),
        default="0",
        help="store a shard's checkpoint at most this often; a crash replays up to as much more. 0: after each batch",
    ),
    Definition(
        name="batchSize",
        group="Reading",
        parse=parsers.whole_number(1, 1000),
        default="1000",
        help="records requested by each GetRecords call, 1 to 1000",
    ),
    Definition(
        name="idleTimeBetweenReadsMaxMillis",
        group="Reading",
        parse=parsers.whole_number(1, kcl_properties.MOST_PAUSE_MS, reason=kcl_properties.PAUSE_REASON),
        default="1000",
        help="the longest pause between two reads of a shard, when it has long not been written; at most 20000",
    ),
    Definition(
        name="sharedReadsMegabytes",
        group="Reading",
        parse=parsers.whole_number(0, 1_024),
        default="64",
        help="most MB of pages that tasks of one stream in one daemon keep for each other; 0: each reads by itself",
    ),
    Definition(
        name="parentShardPollIntervalMillis",
        group="Reading",
        parse=parsers.whole_number(1, 3_600_000),
        default="1000",
        help="how often a new shard checks whether its parent is finished",
    ),
    Definition(
        name="filter",
        group="Items",
        help="DynamoDB condition expression over the source's item; what does not pass is not at the destination",
    ),
    Definition(
        name="filterNames",
        group="Items",
        parse=parsers.names,
        help='its #names, as JSON: {"#s": "status"}',
    ),
    Definition(
        name="filterValues",
        group="Items",
        parse=parsers.values,
        help='its :values, as JSON of DynamoDB JSON: {":s": {"S": "paid"}}',
    ),
    Definition(
        name="transform",
        group="Items",
        parse=parsers.function,
        help="function of your own, module:function, that takes an item and returns what becomes of it, or None",
    ),
    Definition(
        name="transformPath",
        group="Items",
        help="folder in which transform's module is",
    ),
    Definition(
        name="includeAttributes",
        group="Items",
        parse=attribute_paths.parse,
        default_is="all",
        help="only these attributes, as paths: id,profile.address,lines[0].sku; the key always stays",
    ),
    Definition(
        name="excludeAttributes",
        group="Items",
        parse=attribute_paths.parse,
        help="all but these attributes, as paths",
    ),
    Definition(
        name="maskAttributes",
        group="Items",
        parse=attribute_paths.parse,
        help="attributes, as paths, whose values become a keyed hash, equal for equal values",
    ),
    Definition(
        name="maskKey",
        group="Items",
        parse=parsers.key_place,
        help="where the key of that hash is: env:NAME or file:///path",
    ),
    Definition(
        name="renameAttributes",
        group="Items",
        parse=parsers.renames,
        help="old=new between commas; top level only",
    ),
    Definition(
        name="setAttributes",
        group="Items",
        parse=parsers.attributes,
        help='attributes that every item gets, as DynamoDB JSON: {"region": {"S": "eu"}}',
    ),
    Definition(
        name="ttlDeletes",
        group="Items",
        parse=parsers.OneOf("apply", "ignore"),
        default="apply",
        help="ignore: what TTL has deleted at the source stays at the destination, as in an archive",
    ),
    Definition(
        name="writeMode",
        group="Writing",
        parse=parsers.OneOf("batch", "item", "fenced"),
        default="batch",
        help="batch: BatchWriteItem, 25 changes a call; item: PutItem and DeleteItem, one by one; "
        "fenced: item, never over a newer change",
    ),
    Definition(
        name="fenceAttribute",
        group="Writing",
        parse=parsers.matching(r"[^\x00-\x1f]{1,255}", "an attribute's name"),
        default="_replicatedSequenceNumber",
        help="attribute in which writeMode=fenced keeps each item's sequence number",
    ),
    Definition(
        name="coalesce",
        group="Writing",
        parse=parsers.boolean,
        default="true",
        help="write only a key's last change of each batch read; false writes every one",
    ),
    Definition(
        name="applyThreads",
        group="Writing",
        parse=parsers.whole_number(1, 256),
        default_is="by the destination's round trip, up to 80; copy, verify and redrive: 8",
        help="maximum of concurrent write calls, for each shard",
    ),
    Definition(
        name="twoWay",
        group="Two-way",
        parse=parsers.boolean,
        default="false",
        help="applications write to the destination, too, and what they write goes to the source",
    ),
    Definition(
        name="conflicts",
        group="Two-way",
        parse=parsers.OneOf("hubWins", "lastArrival"),
        default="hubWins",
        help="of an item written on both sides at once, hubWins keeps the source's, lastArrival what arrives last",
    ),
    Definition(
        name="conflictUri",
        group="Two-way",
        parse=parsers.letters_uri,
        help="where both images of each conflict are kept: file:///path/name.jsonl or s3://bucket/prefix[?owner=ACCOUNT]",
    ),
    Definition(
        name="markerAttribute",
        group="Two-way",
        parse=parsers.matching(r"[^\x00-\x1f]{1,255}", "an attribute's name"),
        default="_replication",
        help="attribute in which twoWay marks what it has written to the destination",
    ),
    Definition(
        name="createDestination",
        group="Copy and verify",
        parse=parsers.boolean,
        default="false",
        help="copy makes the destination table like the source's if it does not exist",
    ),
    Definition(
        name="destinationStream",
        group="Copy and verify",
        parse=parsers.boolean,
        default="false",
        help="a table that createDestination makes gets a stream of its own",
    ),
    Definition(
        name="enableStream",
        group="Copy and verify",
        parse=parsers.boolean,
        default="false",
        help="copy turns the source's stream on if it is off, with NEW_AND_OLD_IMAGES",
    ),
    Definition(
        name="copyProcesses",
        group="Copy and verify",
        parse=parsers.whole_number(1, 256),
        default_is="the number of cores, up to 8",
        help="number of processes that a copy uses on each machine on which it is started",
    ),
    Definition(
        name="copySegments",
        group="Copy and verify",
        parse=parsers.whole_number(1, 1_000_000),
        default_is="by the table's size",
        help="number of parts in which the copy is made",
    ),
    Definition(
        name="copyReadUnits",
        group="Copy and verify",
        parse=parsers.units,
        default_is="no limit",
        help="read units a second that the copy may use, or a percentage of the source's provisioned capacity (50%)",
    ),
    Definition(
        name="copyWriteUnits",
        group="Copy and verify",
        parse=parsers.units,
        default_is="no limit",
        help="write units a second that the copy may use, or a percentage of the destination's (50%)",
    ),
    Definition(
        name="verifyProcesses",
        group="Copy and verify",
        parse=parsers.whole_number(1, 256),
        default_is="the number of cores, up to 8; 1 for small tables",
        help="number of processes that verify uses",
    ),
    Definition(
        name="verifyReadUnits",
        group="Copy and verify",
        parse=parsers.units,
        default_is="no limit; with verifyEvery by the tables' size",
        help="read units a second that verify may use of each table, or a percentage of its provisioned capacity (10%)",
    ),
    Definition(
        name="verifyEvery",
        group="Copy and verify",
        parse=parsers.period(60, 31 * 86_400),
        default_is="off; 24h with bootstrap",
        help="the daemons compare both tables by themselves, this often: 24h, 90min, 7d",
    ),
    Definition(
        name="verifyRepair",
        group="Copy and verify",
        parse=parsers.OneOf("false", "true", "deleteExtra"),
        default="false",
        help="verifyEvery mends what it finds; deleteExtra: and deletes what only the destination has",
    ),
    Definition(
        name="bootstrap",
        group="By itself",
        parse=parsers.boolean,
        default="false",
        help="a new task makes its own replica: destination, stream, copy beside the replication, verify "
        "(implies createDestination and enableStream)",
    ),
    Definition(
        name="afterLoss",
        group="By itself",
        parse=parsers.OneOf("hold", "copy"),
        default="hold",
        help="if the stream has lost changes: hold waits for a person, copy copies and verifies again, and deletes "
        "what only the destination has",
    ),
    Definition(
        name="onError",
        group="Failures",
        parse=parsers.OneOf("hold", "deadLetter", "stop"),
        default="hold",
        help="if the destination will never accept a change: hold makes its shard wait there, deadLetter sets the "
        "change aside, stop ends the replication",
    ),
    Definition(
        name="deadLetterUri",
        group="Failures",
        parse=parsers.letters_uri,
        part_of=("dead_letter_path", "dead_letter_bucket", "dead_letter_prefix", "dead_letter_owner"),
        help=(
            "where onError=deadLetter stores changes, with whole items: file:///path/name.jsonl or "
            "s3://bucket/prefix[?owner=ACCOUNT]"
        ),
    ),
    Definition(
        name="deadLetterMasked",
        group="Failures",
        parse=parsers.boolean,
        default="false",
        help="dead letters hold what would have been written, masked and filtered, instead of the source's item",
    ),
    Definition(
        name="notifyUri",
        group="Failures",
        parse=notify_uri,
        help="who is told when the task's health changes: an SNS topic's ARN, or an http(s) URL that takes a JSON POST",
    ),
    Definition(
        name="dontPublishCloudwatch",
        group="Metrics",
        parse=parsers.boolean,
        default="false",
        help="publish no CloudWatch metrics",
    ),
    Definition(
        name="metricsPort",
        group="Metrics",
        parse=parsers.whole_number(1, 65_535),
        help="port on which Prometheus finds the metrics; a second daemon of the task on the same machine takes the "
        "next port",
    ),
    Definition(
        name="metricsAddress",
        group="Metrics",
        parse=parsers.address,
        default="127.0.0.1",
        help="address on which metricsPort listens; 0.0.0.0: every address of the machine",
    ),
    Definition(
        name="heartbeatSeconds",
        group="Metrics",
        parse=parsers.whole_number(1, 3600),
        default_is="no heartbeat",
        help="write a small item to the source at this interval, to measure the lag even if nothing else is written",
    ),
    Definition(
        name="logDirectory",
        group="Process",
        default_is="logs, beside run.sh; of a wheel ~/.local/state/dynamodb-replicator",
        help="kcl.log and replication.log are written to <logDirectory>/<taskName>/",
    ),
    Definition(
        name="allowSharedFolders",
        group="Process",
        parse=parsers.boolean,
        default="false",
        help="also accept folders that others can write to: for a container's volume, which nobody else reaches",
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
        parse=parsers.OneOf("text", "json"),
        default="text",
        help="text: a line reads time, level, event, name=value; json: one object a line, with the same names",
    ),
    Definition(
        name="javaOptions",
        group="Process",
        parse=parsers.options,
        help="more options for the daemon's JVM; its heap is -Xmx1g, enough for some 40 shards in a backlog",
    ),
    Definition(
        name="demo",
        group="Demo",
        parse=parsers.boolean,
        default="false",
        help="replicate between two tables on this machine that are written to continuously; with bootstrap the source "
        "is full at the start",
    ),
    Definition(
        name="demoSeconds",
        group="Demo",
        parse=parsers.whole_number(1, 86_400),
        default_is="until Ctrl-C",
        help="write for this many seconds, wait until the tables are equal, and end with 0, or with 1 and the keys "
        "that differ",
    ),
    Definition(
        name="demoServer",
        group="Demo",
        parse=parsers.OneOf("dynamodb-local", "moto"),
        default="dynamodb-local",
        help="what holds the demo's tables: DynamoDB Local, Amazon's own (51 MB), or moto's server, which is open "
        "source; moto as well where the other can't be had",
    ),
)
BY_NAME: Mapping[str, Definition] = {definition.name: definition for definition in DEFINITIONS}
