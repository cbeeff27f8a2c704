"""The settings of one replication task, as the rest of the program uses them. Pure."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

from processor.settings import kcl_properties
from processor.settings.attribute_paths import Path
from processor.settings.definitions import CHECKPOINT_TABLE_PREFIX
from processor.settings.identity import OWN, Identity
from processor.settings.letters_place import LettersPlace, letters_place

# DynamoDB's limit.
MAX_TABLE_NAME = 255
# As many calls as a batch of two pages has (``PageFetcher.java``), so that all of them take one round trip.
MOST_CONCURRENT_WRITES = 80
# More would not help: a copy within one region is limited by this process, not by the number of its calls.
THREADS = 8
# Where bootstrap=true and verifyEvery doesn't say otherwise.
_DAY_SECONDS = 86_400
# The fields of which any one makes what is written of an item other than the item itself, and those that say something
# only beside one of these.
VIEW_FIELDS = (
    "filter",
    "transform",
    "include_attributes",
    "exclude_attributes",
    "mask_attributes",
    "rename_attributes",
    "set_attributes",
)
# From the hub, which is the source of a two-way task's file, to the spoke; and the way back.
Direction = Literal["mirror", "uplink"]
# What the uplink's task is called beside the mirror's.
UPLINK_SUFFIX = "-Uplink"
# What the task's file calls a table, and the settings about it.
Side = Literal["source", "destination"]
# KCL properties that name a table of the task's own, of which two tasks would read each other's rows.
_NAMES_OF_TABLES = ("coordinatorStateTableName", "workerMetricsTableName")
_VIEW_DETAIL_FIELDS = ("filter_names", "filter_values", "transform_path", "mask_key")


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Everything one replication task needs to know; paths are absolute."""

    source_region: str
    source_table: str
    destination_region: str
    destination_table: str
    source_endpoint: str | None = None
    source_streams_endpoint: str | None = None
    source_identity: Identity = OWN
    destination_endpoint: str | None = None
    destination_identity: Identity = OWN
    task_name: str
    kcl_region: str
    kcl_endpoint: str | None = None
    task_identity: Identity = OWN
    checkpoint_interval_millis: int = 0
    batch_size: int
    idle_time_between_reads_max_millis: int
    shared_reads_megabytes: int
    parent_shard_poll_interval_millis: int
    filter: str | None = None
    filter_names: dict[str, str] | None = None
    filter_values: dict[str, Any] | None = None
    transform: str | None = None
    transform_path: str | None = None
    include_attributes: list[Path] | None = None
    exclude_attributes: list[Path] | None = None
    mask_attributes: list[Path] | None = None
    mask_key: str | None = None
    rename_attributes: dict[str, str] | None = None
    set_attributes: dict[str, Any] | None = None
    ttl_deletes: str = "apply"
    write_mode: str
    fence_attribute: str
    coalesce: bool
    apply_threads: int | None = None
    copy_processes: int | None = None
    verify_processes: int | None = None
    verify_read_units: str | None = None
    # Seconds; 0 for off.
    verify_every: int | None = None
    verify_repair: str = "false"
    copy_segments: int | None = None
    copy_read_units: str | None = None
    copy_write_units: str | None = None
    on_error: str
    dead_letter_path: str | None = None
    dead_letter_bucket: str | None = None
    dead_letter_prefix: str = ""
    dead_letter_owner: str | None = None
    dead_letter_masked: bool = False
    notify_uri: str | None = None
    create_destination: bool = False
    destination_stream: bool = False
    enable_stream: bool = False
    bootstrap: bool = False
    after_loss: str = "hold"
    dont_publish_cloudwatch: bool
    metrics_port: int | None = None
    metrics_address: str
    heartbeat_seconds: int | None = None
    log_directory: str
    log_configuration: str | None = None
    log_format: str
    java_options: str = ""
    allow_shared_folders: bool = False
    demo: bool = False
    demo_seconds: int | None = None
    demo_server: str = "dynamodb-local"
    two_way: bool = False
    # Of a two-way task; None for a task of one direction.
    direction: Direction | None = None
    conflicts: str = "hubWins"
    conflict_uri: str | None = None
    marker_attribute: str = "_replication"
    kcl: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def path(self) -> str:
        """From where to where, for people."""
        return f"{self.source_table} ({self.source_region}) -> {self.destination_table} ({self.destination_region})"

    @property
    def views_items(self) -> bool:
        """Whether what is written of an item is not simply the item."""
        return self._has_any(VIEW_FIELDS)

    @property
    def views_nothing(self) -> bool:
        """Whether no setting about a view is set at all, not even one that says nothing without another."""
        return not self._has_any((*VIEW_FIELDS, *_VIEW_DETAIL_FIELDS))

    def _has_any(self, fields: tuple[str, ...]) -> bool:
        return any(getattr(self, name) is not None for name in fields)

    def destination_name(self, attribute: str) -> str | None:
        """The name under which the destination's items have an attribute of the source's, with its own value.

        :returns: None if they don't have it, or it may have another value there
        """
        names = self.rename_attributes or {}
        name = names.get(attribute, attribute)
        changed = [*(self.exclude_attributes or []), *(self.mask_attributes or [])]
        if self.transform is not None or name in (self.set_attributes or {}) or (attribute,) in changed:
            return None
        if self.include_attributes is not None and (attribute,) not in self.include_attributes:
            return None
        return name

    @property
    def has_letters(self) -> bool:
        """Whether there is a place for dead letters."""
        return self.dead_letter_bucket is not None or self.dead_letter_path is not None

    @property
    def dead_letters_place(self) -> LettersPlace | None:
        """Where dead letters are kept, if anywhere."""
        if not self.has_letters:
            return None
        return LettersPlace(
            self.dead_letter_path, self.dead_letter_bucket, self.dead_letter_prefix, self.dead_letter_owner
        )

    @property
    def conflicts_place(self) -> LettersPlace | None:
        """Where a two-way task keeps conflicts, if anywhere."""
        return None if self.conflict_uri is None else letters_place(self.conflict_uri)

    @property
    def source_side(self) -> Side:
        """What the task's file calls the table that is read: an uplink reads the file's destination."""
        return "destination" if self.direction == "uplink" else "source"

    @property
    def destination_side(self) -> Side:
        """What the task's file calls the table that is written."""
        return "source" if self.direction == "uplink" else "destination"

    @property
    def leaves_changes_out(self) -> bool:
        """Whether there may be changes that write nothing, by these settings."""
        return self.filter is not None or self.transform is not None or self.keeps_expired

    @property
    def keeps_expired(self) -> bool:
        """Whether what TTL has deleted at the source stays at the destination."""
        return self.ttl_deletes == "ignore"

    @property
    def checkpoint_table(self) -> str:
        """The lease table, named as the original names it."""
        return CHECKPOINT_TABLE_PREFIX + self.task_name

    @property
    def cloudwatch_namespace(self) -> str:
        """The namespace of all metrics of the task: KCL's own, which it names by its ``applicationName``, and ours."""
        return self.checkpoint_table

    @property
    def failover_seconds(self) -> float:
        """How long a lease lasts if it is not renewed."""
        return int(self.kcl.get("failoverTimeMillis", kcl_properties.TUNED["failoverTimeMillis"])) / 1000

    @property
    def most_concurrent_writes(self) -> int:
        """Maximum of concurrent write calls of one shard."""
        return self.apply_threads or MOST_CONCURRENT_WRITES

    @property
    def threads(self) -> int:
        """How many parts of a copy, a verification or a redrive are processed at once."""
        return self.apply_threads or THREADS

    @property
    def has_caretaker(self) -> bool:
        """Whether a setting asks for something that the process which looks after the task does."""
        return self.makes_replica or self.verifies or self.notify_uri is not None

    @property
    def makes_replica(self) -> bool:
        """Whether the daemons make the replica by themselves, or copy again what was lost."""
        return self.bootstrap or self.after_loss == "copy"

    @property
    def verifies(self) -> bool:
        """Whether the daemons compare both tables by themselves; of a two-way task the mirror's do."""
        return bool(self.verification_seconds) and self.direction != "uplink"

    @property
    def verification_seconds(self) -> int:
        """From the begin of one pass of theirs to the begin of the next; 0 if they make none."""
        if self.verify_every is None:
            return _DAY_SECONDS if self.bootstrap else 0
        return self.verify_every

    @property
    def in_directions(self) -> tuple[Settings, ...]:
        """The settings of each direction that the task replicates in, each a task of one daemon.

        A task of one direction is itself. The two of a two-way task share the region, endpoint and role of their
        checkpoints; the uplink's source is the destination of the file, and it begins with what is written from its
        first start on: what stood in the spoke's stream before may be the work of a replication without markers.
        """
        if not self.two_way or self.direction == "uplink":
            return (self,)
        return self, msgspec.structs.replace(
            self,
            direction="uplink",
            task_name=self.task_name + UPLINK_SUFFIX,
            source_region=self.destination_region,
            source_table=self.destination_table,
            source_endpoint=self.destination_endpoint,
            source_streams_endpoint=self.destination_endpoint,
            source_identity=self.destination_identity,
            destination_region=self.source_region,
            destination_table=self.source_table,
            destination_endpoint=self.source_endpoint,
            destination_identity=self.source_identity,
            create_destination=False,
            destination_stream=False,
            enable_stream=False,
            bootstrap=False,
            after_loss="hold",
            kcl={**self.kcl, **self._uplink_tables, "initialPositionInStream": "LATEST"},
        )

    @property
    def _uplink_tables(self) -> dict[str, str]:
        """The uplink's names of KCL's tables, where the file names the mirror's."""
        return {name: companion_table(self.kcl[name], UPLINK_SUFFIX) for name in _NAMES_OF_TABLES if name in self.kcl}

    @property
    def task_table(self) -> str:
        """The table of our own rows about this task; none of them are in KCL's tables."""
        return companion_table(self.checkpoint_table, "-Task")

    @property
    def mirror_task_table(self) -> str:
        """Of an uplink: its mirror's ``task_table``."""
        return companion_table(self.checkpoint_table.removesuffix(UPLINK_SUFFIX), "-Task")


def companion_table(table: str, suffix: str) -> str:
    """``table`` + ``suffix``, shortened to what DynamoDB allows so that no two tables get the same name."""
    if len(table) + len(suffix) <= MAX_TABLE_NAME:
        return table + suffix
    digest = hashlib.md5(table.encode(), usedforsecurity=False).hexdigest()
    return f"{table[: MAX_TABLE_NAME - len(suffix) - len(digest) - 1]}-{digest}{suffix}"


def default_task_name(source_region: str, source_table: str, destination_region: str, destination_table: str) -> str:
    """The original's default: MD5 of the four joined without separators, as 32 lower-case hexadecimal digits."""
    joined = source_region + source_table + destination_region + destination_table
    return hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest()
