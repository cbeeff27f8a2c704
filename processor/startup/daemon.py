"""Turns this process into KCL's daemon.

It writes two files for it, KCL's properties and the children's settings, and ends in ``exec``: one process id from
the command to the end, so a signal reaches KCL's own graceful shutdown and nothing in Python has to supervise.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import javaproperties
import msgspec

from processor.aws import endpoints
from processor.aws.domains import is_aws
from processor.aws.sessions import sts_region
from processor.metrics.shard_files import DIRECTORY as METRICS_DIRECTORY
from processor.metrics.sinks import sinks
from processor.replication.lease_term import DIRECTORY as TERM_DIRECTORY
from processor.replication.record_counts import DIRECTORY as COUNTS_DIRECTORY
from processor.settings import kcl_properties
from processor.settings.daemon_files import NURSERY_DIRECTORY, SETTINGS_FILE, SETTINGS_VARIABLE, VIEW_FILE, ViewBasis
from processor.settings.identity import Identity
from processor.settings.settings import MAX_TABLE_NAME, Settings, companion_table
from processor.startup import java, java_options
from processor.startup.slot import Slot
from processor.state.hold_files import DIRECTORY as HOLD_DIRECTORY
from processor.state.leases import Lease
from processor.state.task_row import Task
from processor.system import private_files, program

MAIN_CLASS = "replicator.Daemon"
# How often KCL looks for leases to start or stop. Its default of a second would be waited for three times at a start.
DISPATCH_INTERVAL_MS = 100
# A file in the jars' folder. While a process locks it, the jars are in use; setup.sh checks that.
IN_USE = ".in-use"
# In the daemon's own folder, each by the property that names it to the JVM, which has no use for the metrics'.
_FOLDERS = {
    "leaseTermDirectory": TERM_DIRECTORY,
    "holdDirectory": HOLD_DIRECTORY,
    "countsDirectory": COUNTS_DIRECTORY,
}
_CARETAKER = "processor.caretaker.process"
_COORDINATOR_STATE_SUFFIX = "-CoordinatorState"
_WORKER_METRICS_SUFFIX = "-WorkerMetricStats"


def hold_installation() -> None:
    """Hold a shared lock of ``jars/.in-use``, through ``exec`` and until the end, so that set-up replaces nothing.

    If the checkout belongs to another user, whose set-up made no such file, nobody here could replace anything.
    """
    if program.INSTALLED:
        return
    path = java.JARS / IN_USE
    try:
        descriptor = os.open(path, os.O_RDONLY | (os.O_CREAT if os.access(java.JARS, os.W_OK) else 0), 0o644)
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, 0o644)  # whatever the umask: others who run from this checkout hold it, too
    except OSError:
        return
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    os.set_inheritable(descriptor, True)  # noqa: FBT003  # it takes no keyword


def properties(
    settings: Settings, *, task: Task, worker_id: str, leases: list[Lease], read_at_ms: int
) -> dict[str, str]:
    """KCL's properties, then the few of our own that the daemon class reads."""
    own = [lease for lease in leases if lease.owner == worker_id]
    decided = {
        **_child_programs(),
        "applicationName": settings.checkpoint_table,
        "streamName": settings.source_table,
        "regionName": settings.kcl_region,
        "workerId": worker_id,
        "maxRecords": str(settings.batch_size),
        "idleTimeBetweenReadsMaxMillis": str(settings.idle_time_between_reads_max_millis),
        "sharedReadsMegabytes": str(settings.shared_reads_megabytes),
        "parentShardPollIntervalMillis": str(settings.parent_shard_poll_interval_millis),
        # ours
        "sourceStreamArn": task.stream_arn,
        "sourceRegion": settings.source_region,
        "sourceTable": settings.source_table,
        "taskTable": settings.task_table,
        "dontPublishCloudwatch": str(settings.dont_publish_cloudwatch).lower(),
        "copiesLosses": str(settings.after_loss == "copy").lower(),
        "checkpointIntervalMillis": str(settings.checkpoint_interval_millis),
        "shardConsumerDispatchPollIntervalMillis": str(DISPATCH_INTERVAL_MS),
        "ownLeaseCounters": ",".join(f"{lease.shard_id}={lease.counter}" for lease in own),
        "ownLeasesReadAtMillis": str(read_at_ms),
    }
    optional = {
        "dynamoDBEndpoint": settings.kcl_endpoint,
        "sourceEndpoint": settings.source_endpoint,
        "sourceStreamsEndpoint": settings.source_streams_endpoint,
        "mirrorTaskTable": settings.mirror_task_table if settings.direction == "uplink" else None,
        "metricsExecutable": _module("processor.metrics.exporter") if sinks(settings, os.environ) else None,
        "caretakerExecutable": _module(_CARETAKER) if settings.has_caretaker else None,
        **_identity("source", settings.source_identity, settings.source_region),
        **_identity("kcl", settings.task_identity, settings.kcl_region),
    }
    given = dict(settings.kcl)
    lower = {kcl_properties.canonical(name) for name in given}
    tuned = {name: value for name, value in kcl_properties.TUNED.items() if kcl_properties.canonical(name) not in lower}
    made = tuned | decided | {name: value for name, value in optional.items() if value is not None} | given
    if len(settings.checkpoint_table) + len(_WORKER_METRICS_SUFFIX) > MAX_TABLE_NAME:
        made.setdefault(
            "coordinatorStateTableName", companion_table(settings.checkpoint_table, _COORDINATOR_STATE_SUFFIX)
        )
        made.setdefault("workerMetricsTableName", companion_table(settings.checkpoint_table, _WORKER_METRICS_SUFFIX))
    return kcl_properties.from_oldest(made, first_start_ms=task.first_start_ms)


def _module(name: str) -> str:
    """The command that runs a module of ours. The JVM splits it at spaces, so it begins where the interpreter is."""
    return f"./{Path(sys.executable).name} -I -m {name}"


def _child_programs() -> dict[str, str]:
    return {
        "executableName": _module("processor.replication.child"),
        "nurseryExecutable": _module("processor.replication.nursery"),
    }


def _identity(side: str, identity: Identity, region: str) -> dict[str, str | None]:
    """The properties that ``Identity.java`` reads."""
    made = {f"{side}Profile": identity.profile}
    if identity.role_arn is not None:
        made |= {
            f"{side}RoleArn": identity.role_arn,
            f"{side}RoleExternalId": identity.external_id,
            f"{side}RoleSessionName": identity.session_name,
            f"{side}RoleRegion": sts_region(identity, region),
        }
    return made


def command(
    settings: Settings, slot: Slot, properties_file: Path, *, reader_threads: int = java_options.READER_THREADS
) -> list[str]:
    """The JVM's command line. Nothing secret is in it: every user of the machine can read it."""
    return [
        java.executable(),
        *java_options.daemon_options(settings, slot.directory, reader_threads=reader_threads),
        MAIN_CLASS,
        str(properties_file),
    ]


def write_files(
    settings: Settings,
    slot: Slot,
    *,
    task: Task,
    leases: list[Lease],
    read_at_ms: int,
    worker_id: str | None = None,
    view: ViewBasis | None = None,
) -> Path:
    """Write what the daemon and a task's children read: KCL's properties, and the children's settings beside them.

    :param worker_id: the one of a daemon of many tasks; without it, the slot's
    :param view: what its children's view of the items is made of, if they have one
    :returns: the properties' file
    """
    given = settings.kcl.get("workerId", settings.kcl.get("workerIdentifier"))
    worker_id = given or worker_id or slot.worker_id
    made = properties(settings, task=task, worker_id=worker_id, leases=leases, read_at_ms=read_at_ms)
    made |= {name: value for name, value in endpoints.told(settings).items() if name not in settings.kcl}
    settings_file = slot.directory / SETTINGS_FILE
    # Only an uplink is told, for a mirror loses nothing where it doubts that (FirstStart.java).
    has_seconds = settings.direction == "uplink" and is_aws(made["sourceStreamsEndpoint"])
    made["recordTimesHaveSeconds"] = str(has_seconds).lower()
    made["childSettings"] = str(settings_file)
    made["nurseryDirectory"] = str(slot.directory / NURSERY_DIRECTORY)
    made |= _make_folders(settings, slot)
    made["countsFiltered"] = str(settings.leaves_changes_out).lower()
    properties_file = slot.directory / "daemon.properties"
    _write_properties(properties_file, made)
    _write_private(settings_file, msgspec.json.encode(_with_port(settings, slot)))
    if view is not None:
        _write_private(slot.directory / VIEW_FILE, msgspec.json.encode(view))
    return properties_file


def _make_folders(settings: Settings, slot: Slot) -> dict[str, str]:
    """Make those that a task's children share with the daemon, without what earlier daemons left in them.

    :returns: their properties
    """
    for folder in (*_FOLDERS.values(), METRICS_DIRECTORY):
        shutil.rmtree(slot.directory / folder, ignore_errors=True)
    made = {name: slot.directory / folder for name, folder in _FOLDERS.items()}
    for directory in (*made.values(), slot.directory / METRICS_DIRECTORY):
        private_files.make_folder(directory, shared=settings.allow_shared_folders)
    return {name: str(directory) for name, directory in made.items()}


def start(settings: Settings, slot: Slot, properties_file: Path) -> NoReturn:
    """Become the daemon.

    :param properties_file: as ``write_files`` has written it
    """
    arguments = command(settings, slot, _opened(properties_file))
    os.environ[SETTINGS_VARIABLE] = str(slot.directory / SETTINGS_FILE)
    _become(arguments)


def start_many(settings: Settings, slot: Slot, keeper: str) -> NoReturn:
    """Become the daemon of many tasks, which the keeper tells of.

    :param settings: of any of them: those of the process are the same for all
    :param keeper: the module that is the keeper's program
    """
    made = {
        **_child_programs(),
        "nurseryDirectory": str(slot.directory / NURSERY_DIRECTORY),
        "keeperExecutable": _module(keeper),
        "metricsExecutable": _module("processor.metrics.exporter_of_many"),
        "caretakerExecutable": _module(_CARETAKER),
    }
    if settings.metrics_port is not None:
        made["metricsPort"] = str(settings.metrics_port)
    settings_file = slot.directory / SETTINGS_FILE
    _write_private(settings_file, msgspec.json.encode(_with_port(settings, slot)))
    os.environ[SETTINGS_VARIABLE] = str(settings_file)
    properties_file = slot.directory / "daemon.properties"
    _write_properties(properties_file, made)
    readers = java_options.READER_THREADS_OF_MANY
    _become(command(settings, slot, _opened(properties_file), reader_threads=readers))


def _become(arguments: list[str]) -> NoReturn:
    os.environ["CLASSPATH"] = java.class_path()  # 75 jars, which would make ps unreadable
    # KCL splits the child's command at spaces. This path of the interpreter has none, even if the checkout's has some.
    os.chdir(Path(sys.executable).parent)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(arguments[0], arguments)  # noqa: S606  # the point of this module


def _write_properties(path: Path, made: dict[str, str]) -> None:
    _write_private(path, javaproperties.dumps(made, timestamp=False, sort_keys=True).encode("latin-1"))


def _with_port(settings: Settings, slot: Slot) -> Settings:
    """Each daemon of a machine has a ``metricsPort`` of its own, the same after a restart."""
    if settings.metrics_port is None:
        return settings
    return msgspec.structs.replace(settings, metrics_port=settings.metrics_port + slot.number)


def _opened(path: Path) -> Path:
    """A path of the open file, for the program that follows: by then the original path may lead elsewhere."""
    descriptor = os.open(path, os.O_RDONLY)
    opened = Path(f"/proc/self/fd/{descriptor}")
    if not opened.exists():  # not Linux
        os.close(descriptor)
        return path
    os.set_inheritable(descriptor, True)  # noqa: FBT003  # it takes no keyword
    return opened


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
