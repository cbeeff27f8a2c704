"""KCL's MultiLangDaemon properties that may be set beside our settings, and our values for some of them.

Pure. KCL silently ignores a name that it does not know, and reads a number that it can't parse as 0. So names and
numbers are checked here. tests/unit/settings/test_kcl_properties.py holds the list equal to the setters of KCL's
configuration class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from processor.errors import UsageError

# name -> what its value must look like
KINDS: dict[str, str] = {
    "allowThroughputOvershoot": "boolean",
    "awsCredentialsProvider": "text",
    "awsCredentialsProviderCloudWatch": "text",
    "awsCredentialsProviderDynamoDB": "text",
    "callProcessRecordsEvenForEmptyRecordList": "boolean",
    "cleanupLeasesUponShardCompletion": "boolean",
    "clientVersionConfig": "text",
    "coordinatorStateBillingMode": "text",
    "coordinatorStateDeletionProtectionEnabled": "boolean",
    "coordinatorStatePointInTimeRecoveryEnabled": "boolean",
    "coordinatorStateReadCapacity": "long integer",
    "coordinatorStateTableName": "text",
    "coordinatorStateTags": "text",
    "coordinatorStateWriteCapacity": "long integer",
    "dampeningPercentage": "integer",
    "disableWorkerMetrics": "boolean",
    "dynamoDBEndpoint": "text",
    "enablePriorityLeaseAssignment": "boolean",
    "failoverTimeMillis": "long integer",
    "gracefulLeaseHandoffTimeoutMillis": "long integer",
    "idleTimeBetweenReadsInMillis": "long integer",
    "ignoreUnexpectedChildShards": "boolean",
    "inMemoryWorkerMetricsCaptureFrequencyMillis": "long integer",
    "initialLeaseTableReadCapacity": "integer",
    "initialLeaseTableWriteCapacity": "integer",
    "initialPositionInStream": "text",
    "initialPositionInStreamExtended": "long integer",
    "isGracefulLeaseHandoffEnabled": "boolean",
    "kinesisEndpoint": "text",
    "leaseAssignmentIntervalMillis": "long integer",
    "leaseTableDeletionProtectionEnabled": "boolean",
    "leaseTablePitrEnabled": "boolean",
    "listShardsBackoffTimeInMillis": "long integer",
    "logWarningForTaskAfterMillis": "long integer",
    "maxActiveThreads": "integer",
    "maxGetRecordsThreadPool": "integer",
    "maxLeaseRenewalThreads": "integer",
    "maxLeasesForWorker": "integer",
    "maxLeasesToStealAtOneTime": "integer",
    "maxListShardsRetryAttempts": "integer",
    "maxRecords": "integer",
    "maxThroughputPerHostKBps": "decimal",
    "metricsBufferTimeMillis": "long integer",
    "metricsEnabledDimensions": "text",
    "metricsLevel": "text",
    "metricsMaxQueueSize": "integer",
    "millisBehindLatestThresholdForReducedTps": "long integer",
    "noOfPersistedMetricsPerWorkerMetrics": "integer",
    "processingLanguage": "text",
    "reBalanceThresholdPercentage": "integer",
    "regionName": "text",
    "retrievalMode": "text",
    "retryGetRecordsInSeconds": "integer",
    "schedulerInitializationBackoffTimeMillis": "long integer",
    "shardPrioritization": "text",
    "shardSyncIntervalMillis": "long integer",
    "shutdownGraceMillis": "long integer",
    "skipShardSyncAtWorkerInitializationIfLeasesExist": "boolean",
    "staleWorkerMetricsEntryCleanupDuration": "text",
    "taskBackoffTimeMillis": "long integer",
    "timeoutInSeconds": "integer",
    "validateSequenceNumberBeforeCheckpointing": "boolean",
    "varianceBalancingFrequency": "integer",
    "workerId": "text",
    "workerIdentifier": "text",
    "workerMetricsBillingMode": "text",
    "workerMetricsDeletionProtectionEnabled": "boolean",
    "workerMetricsEMAAlpha": "decimal",
    "workerMetricsPointInTimeRecoveryEnabled": "boolean",
    "workerMetricsReadCapacity": "long integer",
    "workerMetricsReporterFreqInMillis": "long integer",
    "workerMetricsTableName": "text",
    "workerMetricsTags": "text",
    "workerMetricsWriteCapacity": "long integer",
}

# KCL properties that say which stream is read, and by which program. Settings of ours decide these.
DECIDED_BY: dict[str, str] = {
    "applicationName": "taskName",
    "executableName": "nothing: the record processor is this program's own",
    "streamArn": "sourceTable (its stream is looked up)",
    "streamName": "sourceTable (its stream is looked up)",
    "tableName": "taskName",
}

# Parts of KCL's configuration that have properties of their own, named with a dot, as in kinesisClient.region.
BEANS = frozenset({"cloudWatchClient", "dynamoDbClient", "fanoutConfig", "kinesisClient"})

# Our defaults that differ from KCL's, each for a reason; the same name in the properties file wins.
TUNED: dict[str, str] = {
    # The SDK's usual chain: environment, profile, container, instance.
    "AwsCredentialsProvider": "DefaultCredentialsProvider",
    # KCL 3's elected leader takes over two minutes to be replaced when it dies; lease counting takes seconds.
    "clientVersionConfig": "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X",
    # A dead worker's leases are free after this long, and a write call may take 55 % of that. KCL: 10000.
    "failoverTimeMillis": "5000",
    # Between reads of a shard that is written; a quiet one is read more seldom (Pace.java).
    "idleTimeBetweenReadsInMillis": "125",
    # Everything that the stream holds, because a copy made before the first start does not have it.
    "initialPositionInStream": "TRIM_HORIZON",
    "processingLanguage": "python",
    # KCL: 60000, which delays the first start by a minute; 0 is ignored.
    "shardSyncIntervalMillis": "1",
    # KCL: 0, so that SIGTERM would abandon the batch in progress.
    "shutdownGraceMillis": "30000",
}

# KCL's own LATEST is the end of a shard when it is first read, and DynamoDB's streams have no AT_TIMESTAMP. So every
# shard is read from its oldest record, and FirstStart.java skips records from before a given moment.
_POSITION, _POSITION_AT = "initialPositionInStream", "initialPositionInStreamExtended"

_PATTERNS = {
    "boolean": re.compile(r"true|false", re.IGNORECASE),
    "integer": re.compile(r"-?\d{1,10}"),
    "long integer": re.compile(r"-?\d{1,19}"),
    "decimal": re.compile(r"-?\d+(\.\d+)?"),
    "text": re.compile(r".*", re.DOTALL),
}

_LEAST_FAILOVER_MS = 500
_MOST_FAILOVER_MS = 600_000

# KCL takes a shard of which it hears nothing for a minute for stuck (ShardConsumer.MAX_TIME_BETWEEN_REQUEST_RESPONSE).
# A pause, a read that gets no answer, the pause after that and the next read must fit into that minute (Pace.java).
MOST_PAUSE_MS = 20_000
PAUSE_REASON = "after longer pauses KCL takes the shard for stuck, logs an ERROR and begins its reading anew"

# The limits of Java's int and long; a number beyond them is read as 0, too.
_BITS = {"integer": 32, "long integer": 64}


def is_known(name: str) -> bool:
    """Whether KCL has a property of that name, including nested ones such as ``kinesisClient.region``."""
    first = name.split(".", 1)[0]
    return canonical(first) in KINDS or (first in BEANS and first != name)


def canonical(name: str) -> str:
    """The name as KCL knows it: KCL accepts ``AwsCredentialsProvider…`` in any case, and every other name as it is."""
    prefix = "awscredentialsprovider"
    if name.lower().startswith(prefix):
        return "awsCredentialsProvider" + name[len(prefix) :]
    return name


def check_all(given: Mapping[str, str]) -> None:
    """Check all of them, and that none is given in two spellings, of which KCL would take either.

    :raises UsageError: for the first that can't be used
    """
    spellings: dict[str, str] = {}
    for name, value in given.items():
        check(name, value)
        other = spellings.setdefault(canonical(name), name)
        if other != name:
            message = f"{other} and {name} are one KCL property in two spellings. Keep one of them."
            raise UsageError(message)


def check(name: str, value: str) -> None:
    """Refuse what KCL would silently read as something else.

    :raises UsageError: the value is not of the property's kind, or a setting of ours decides the property
    """
    if name in DECIDED_BY:
        message = f"{name}={value}: this KCL property is decided by {DECIDED_BY[name]}. Remove it."
        raise UsageError(message)
    kind = KINDS.get(canonical(name), "text")
    if not _PATTERNS[kind].fullmatch(value) or (kind in _BITS and int(value).bit_length() >= _BITS[kind]):
        article = "an" if kind == "integer" else "a"
        message = f"{name}={value}: KCL would read this as 0 or false, without a word. Give {article} {kind}."
        raise UsageError(message)
    if name == "failoverTimeMillis" and not _LEAST_FAILOVER_MS <= int(value) <= _MOST_FAILOVER_MS:
        message = (
            f"{name}={value}: a write call must fit into 55 % of it, and a dead daemon's shards wait for all of it. "
            f"Give {_LEAST_FAILOVER_MS} to {_MOST_FAILOVER_MS}."
        )
        raise UsageError(message)
    if name == "idleTimeBetweenReadsInMillis" and not 0 <= int(value) <= MOST_PAUSE_MS:
        message = f"{name}={value} is not from 0 to {MOST_PAUSE_MS}; {PAUSE_REASON}. Give less."
        raise UsageError(message)
    if name == "initialPositionInStream" and value.upper() not in {"TRIM_HORIZON", "LATEST"}:
        message = (
            f"{name}={value}: a DynamoDB stream can be read from TRIM_HORIZON (all of its 24 hours) or LATEST only."
        )
        raise UsageError(message)


def from_oldest(made: Mapping[str, str], *, first_start_ms: str) -> dict[str, str]:
    """Let every shard without a checkpoint begin at its oldest record, and add the moment from which records count.

    :param first_start_ms: when the task was first started, in milliseconds since the epoch
    """
    if at := made.get(_POSITION_AT):
        moment_ms = str(int(at) * 1000)  # KCL's value is in seconds
    else:
        moment_ms = (first_start_ms or "0") if made.get(_POSITION, "").upper() == "LATEST" else "0"
    kept = {name: value for name, value in made.items() if name != _POSITION_AT}
    return kept | {_POSITION: "TRIM_HORIZON", "firstStartMillis": moment_ms}
