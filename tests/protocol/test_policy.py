"""Every command with only what ``run.sh policy`` says that it needs, where anything else is denied.

The daemon is in ``tests/scenarios/test_policy.py``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import boto3
import botocore.loaders
import botocore.session
import msgspec
import pytest

from processor.commands.copy.s3 import transfer
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.demo.workload import create_table
from processor.dynamodb.keys import identity_of
from processor.flow.retry_policy import RetryPolicy
from processor.replication.dead_letters import s3_store
from processor.replication.dead_letters.letter import encode
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.stamp import new_stamp
from processor.state import copy_rows
from processor.state.copy_rows import CopyState
from tests.fakes.aws.guarded_task import DESTINATION_ACCOUNT, SOURCE_ACCOUNT, Grant, GuardedTask
from tests.fakes.aws.moto_s3 import MotoS3
from tests.fakes.aws.moto_transfers import MotoTransfers
from tests.fakes.console import Console
from tests.fakes.dynamodb.attribute_values import parsed
from tests.fakes.dynamodb.lease_table import LeaseTable
from tests.fakes.policies import limit_commands
from tests.fakes.task.letters import letter

# What DynamoDB does in our name, where no test sees it.
DELEGATED = {
    *(f"logs:{action}" for action in ("CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams")),
    *("logs:PutLogEvents", "logs:PutRetentionPolicy"),
    *("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject", "s3:PutObjectAcl"),
}
LETTERS = {"onError": "deadLetter", "deadLetterUri": "s3://letters/here"}
VIA_S3 = "s3://exports/of"
FENCED = {"writeMode": "fenced"}
TWO_WAY = {"twoWay": "true", "conflictUri": "file:///var/lib/replicator/conflicts.jsonl"}
CONFLICTS = {"twoWay": "true", "conflictUri": "s3://letters/conflicts"}
# What a denial may change, of what a command says: numbers, names and times are other ones each time.
_SAID = re.compile(r"^(?:error|warning|run\.sh:) .*", re.MULTILINE)

Run = Callable[[GuardedTask], Sequence[tuple[int, str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something to do with one grant; ``run`` returns what came of each command, which ``ends`` with these statuses.

    ``partly``: what is granted without ``settings``, too, another case uses. ``on_moto``: what DynamoDB Local can't do.
    ``delegates``: DynamoDB itself uses some of it.
    """

    commands: tuple[str, ...]
    run: Run
    settings: dict[str, str] = field(default_factory=dict)
    ends: tuple[int, ...] = (0,)
    options: tuple[str, ...] = ()  # of policy
    partly: bool = False
    on_moto: bool = False
    delegates: bool = False


# --- What they work on ---------------------------------------------------------------------------------------------


def _ttl(client: Any, table: str, attribute: str) -> None:
    client.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute})


def _put(client: Any, table: str, *keys: str, **attributes: Any) -> None:
    for key in keys:
        client.put_item(TableName=table, Item={"id": {"S": key}, **attributes})


def _tables(task: GuardedTask) -> None:
    """The source has a and b, the destination another a, and z."""
    is_two_way = task.given.get("twoWay") == "true"
    create_table(task.db, task.source_table, stream=True)
    create_table(task.there, task.destination_table, stream=is_two_way)
    _ttl(task.db, task.source_table, "expires")
    _ttl(task.there, task.destination_table, "expires" if is_two_way else "other")
    _put(task.db, task.source_table, "a", "b")
    _put(task.there, task.destination_table, "a", "z", old={"BOOL": True})


def _task_rows(task: GuardedTask) -> None:
    """A copy that was killed beside a replication, with keys in hand: of the two, the source has one still."""
    table = task.settings.task_table
    keys = msgspec.json.encode([{"id": {"S": "a"}}, {"id": {"S": "z"}}])
    task.db.put_item(
        TableName=table,
        Item={
            "name": {"S": f"{copy_rows.ROWS.name}#000000"},
            "copyId": {"S": "an earlier one"},
            "holder": {"S": "nobody"},
            "done": {"BOOL": False},
            "items": {"N": "0"},
            "sizeBytes": {"N": "0"},
            "inHand": {"B": zlib.compress(keys)},
        },
    )


def _leases(task: GuardedTask, *, recorded: bool, uplink: bool = False) -> LeaseTable:
    """A daemon that reads the stream's one shard.

    :param uplink: of the other direction's stream
    """
    settings = task.settings.in_directions[1] if uplink else task.settings
    client, table = (task.there, task.destination_table) if uplink else (task.db, task.source_table)
    streams = boto3.client("dynamodbstreams", region_name="us-east-1", endpoint_url=task.upstream, **task.credentials)
    arn = client.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    made = LeaseTable(settings, {shard["ShardId"]: "a-daemon"}, renewing=["a-daemon"])
    if not recorded:
        place = f"eu-west-1:{DESTINATION_ACCOUNT}" if uplink else f"us-east-1:{SOURCE_ACCOUNT}"
        made.record(f"arn:aws:dynamodb:{place}:{arn.split(':', 5)[5]}")
    return made


def _letter(task: GuardedTask, key: str, number: int) -> None:
    made = letter(key, number=number, task_name=task.given["taskName"], table=task.destination_table)
    made = msgspec.structs.replace(made, region=task.given["destinationRegion"])
    name = f"here/{made.task_name}/{made.shard_id}/{made.sequence_number}.json"
    MOTO.server.client().put_object(Bucket="letters", Key=name, Body=encode(made))


class _Moto:
    server: MotoS3


MOTO = _Moto()


# --- What they do --------------------------------------------------------------------------------------------------


def _check(task: GuardedTask) -> list[tuple[int, str, str]]:
    _tables(task)
    return [task.run("check")]


def _status(task: GuardedTask) -> list[tuple[int, str, str]]:
    _tables(task)
    with _leases(task, recorded=False):
        began = CopyState(id="c", segments=1, started_ms=0, stream_arn="")
        copy_rows.write(task.db, task.settings.task_table, began, before=None)
        # DynamoDB Local rounds a record's time to the minute, and the setting up takes a busy machine its time.
        return [task.run("status", "--maxLagSeconds", "3600")]


def _status_of_both(task: GuardedTask) -> list[tuple[int, str, str]]:
    _tables(task)
    with _leases(task, recorded=False), _leases(task, recorded=False, uplink=True):
        for each in task.settings.in_directions:
            began = CopyState(id="c", segments=1, started_ms=0, stream_arn="")
            copy_rows.write(task.db, each.task_table, began, before=None)
        return [task.run("status", "--maxLagSeconds", "3600")]


def _unmark(task: GuardedTask) -> list[tuple[int, str, str]]:
    """In vain while a two-way daemon is there, then to the end."""
    _tables(task)
    markers = Markers("_replication")
    identity = identity_of(msgspec.Raw(b'{"id":{"S":"a"}}'))
    item = markers.put(msgspec.Raw(b'{"id":{"S":"a"}}'), identity, sequence_number=1, stamp=new_stamp())
    task.there.put_item(TableName=task.destination_table, Item=parsed(msgspec.json.decode(item)))
    with _leases(task, recorded=True) as daemon:
        daemon.record("arn", two_way_since_ms="1")
        came = [task.run("unmark")]
    came.append(task.run("unmark"))
    found = task.there.get_item(TableName=task.destination_table, Key={"id": {"S": "a"}})["Item"]
    return [*came, (0, "", f"run.sh: the item has {', '.join(found)}")]


def _console(task: GuardedTask) -> list[tuple[int, str, str]]:
    _tables(task)
    with _leases(task, recorded=False):
        began = CopyState(id="c", segments=1, started_ms=0, stream_arn="")
        copy_rows.write(task.db, task.settings.task_table, began, before=None)
        with Console(environment=task.environment, maxLagSeconds="3600", **task.given) as console:
            verdict = console.page()["verdict"]
    return [(0 if verdict["level"] == "ok" else 1, "", verdict["sentence"])]


def _verify(task: GuardedTask) -> list[tuple[int, str, str]]:
    _tables(task)
    return [task.run("verify", "--recheck", "0")]


def _verify_kept(task: GuardedTask) -> list[tuple[int, str, str]]:
    """By hand, and as the daemons do, when nothing differs any more: else it would wait for minutes."""
    _tables(task)
    task.db.create_table(
        TableName=task.settings.task_table,
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    came = [task.run("verify", "--recheck", "0")]
    _put(task.there, task.destination_table, "a", "b")
    task.there.delete_item(TableName=task.destination_table, Key={"id": {"S": "z"}})
    return [*came, task.run("verify", "--rolling")]


def _preview(task: GuardedTask) -> list[tuple[int, str, str]]:
    _tables(task)
    return [task.run("preview"), task.run("preview", "--key", '{"id":{"S":"a"}}')]


def _repair(task: GuardedTask) -> list[tuple[int, str, str]]:
    _tables(task)
    return [task.run("verify", "--recheck", "0", "--repair", "--deleteExtra")]


def _shared(task: GuardedTask) -> list[tuple[int, str, str]]:
    """The first, which makes the task's table; one more, beside what an abandoned one has left."""
    _tables(task)
    came = [task.run("verify", "--shared", "--recheck", "0")]
    if came[0][0] == 1:
        left = {"holder": {"S": "h"}, "passId": {"S": "an earlier one"}}
        task.db.put_item(TableName=task.settings.task_table, Item={"name": {"S": "verifyPass#000099"}, **left})
        came.append(task.run("verify", "--shared", "--recheck", "0", "--repair", "--deleteExtra"))
    return came


def _redrive(task: GuardedTask) -> list[tuple[int, str, str]]:
    _tables(task)
    for number, key in enumerate("az", start=1):
        _letter(task, key, number)
    return [task.run("redrive")]


def _copy(task: GuardedTask) -> list[tuple[int, str, str]]:
    """The first, which makes the task's table; beside a replication; before one; beside one in vain; forgotten."""
    _tables(task)
    came = [task.run("copy")]
    if came[0][0] == 0:
        _task_rows(task)
        came += [task.run("copy", "--concurrent", "--restart"), task.run("copy", "--restart")]
    if came[-1][0] == 0:
        with _leases(task, recorded=True):
            came.append(task.run("copy", "--restart"))
    return [*came, task.run("copy", "--forget")]


def _copy_refused(task: GuardedTask) -> list[tuple[int, str, str]]:
    """An item that the destination won't take becomes a letter."""
    create_table(task.db, task.source_table, stream=True)
    task.there.create_table(
        TableName=task.destination_table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "n")],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-n",
                "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    _put(task.db, task.source_table, "a", n={"N": "1"})
    return [task.run("copy")]


def _create(task: GuardedTask) -> list[tuple[int, str, str]]:
    """The stream is off; the destination is made, then found empty and without TTL."""
    create_table(task.db, task.source_table, stream=False)
    arn = task.db.describe_table(TableName=task.source_table)["Table"]["TableArn"]
    task.db.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "orders"}])
    _ttl(task.db, task.source_table, "expires")
    came = [task.run("copy")]
    if came[0][0] == 0:
        task.there.delete_table(TableName=task.destination_table)
        create_table(task.there, task.destination_table, stream=False)
        came.append(task.run("copy", "--restart"))
        found = task.there.describe_time_to_live(TableName=task.destination_table)["TimeToLiveDescription"]
        came.append((0, "", f"run.sh: TTL is {found['TimeToLiveStatus']}"))
    return came


def _copy_via_s3(task: GuardedTask) -> list[tuple[int, str, str]]:
    """To its end, and forgotten; once more, in vain while there is a daemon."""
    create_table(task.db, task.source_table, stream=False)
    arn = task.db.describe_table(TableName=task.source_table)["Table"]["TableArn"]
    task.db.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "orders"}])
    task.db.update_table(TableName=task.source_table, DeletionProtectionEnabled=True)
    task.db.update_continuous_backups(
        TableName=task.source_table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    _ttl(task.db, task.source_table, "expires")
    _put(task.db, task.source_table, "a", "b")
    s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=MOTO.server.endpoint, **task.credentials)
    s3.create_bucket(Bucket="exports")
    came = [task.run("copy", "--viaS3", VIA_S3), task.run("copy", "--forget")]
    if came[0][0] == 0:
        task.there.update_table(TableName=task.destination_table, DeletionProtectionEnabled=False)
        task.there.delete_table(TableName=task.destination_table)
        with _leases(task, recorded=True):
            came.append(task.run("copy", "--viaS3", VIA_S3))
    return came


CASES = {
    "check": Case(commands=("check",), run=_check),
    "check, two-way": Case(commands=("check",), run=_check, settings=CONFLICTS),
    "check, fenced, with letters": Case(commands=("check",), run=_check, settings=FENCED | LETTERS),
    # On a busy machine a lease may be renewed late, and status then says that nobody does.
    "status": Case(commands=("status",), run=_status, settings=LETTERS | {"failoverTimeMillis": "30000"}),
    "status, two-way": Case(
        commands=("status",), run=_status_of_both, settings=CONFLICTS | {"failoverTimeMillis": "30000"}
    ),
    "unmark": Case(commands=("unmark",), run=_unmark, ends=(22, 0, 0)),
    "console": Case(commands=("console",), run=_console, settings=LETTERS | {"failoverTimeMillis": "30000"}),
    "verify": Case(commands=("verify",), run=_verify, ends=(1,)),
    "verify, with verifyEvery": Case(
        commands=("verify",), run=_verify_kept, settings={"verifyEvery": "24h"}, ends=(1, 0)
    ),
    "verify, two-way": Case(commands=("verify",), run=_verify, settings=CONFLICTS, ends=(1,)),
    "preview": Case(commands=("preview",), run=_preview, settings={"filter": "attribute_exists(id)"}, ends=(0, 0)),
    "repair": Case(commands=("repair",), run=_repair),
    "repair, fenced": Case(commands=("repair",), run=_repair, settings=FENCED),
    "repair, by a view": Case(
        commands=("repair",), run=_repair, settings={"excludeAttributes": "old", "setAttributes": '{"o":{"S":"x"}}'}
    ),
    "shared": Case(commands=("repair", "verify"), run=_shared, options=("--shared",), ends=(1, 0)),
    "repair, two-way": Case(commands=("repair",), run=_repair, settings=TWO_WAY),
    "redrive": Case(commands=("redrive",), run=_redrive, settings=LETTERS),
    "redrive, two-way": Case(commands=("redrive",), run=_redrive, settings=LETTERS | TWO_WAY | {"onError": "hold"}),
    "copy": Case(commands=("copy",), run=_copy, ends=(0, 0, 0, 22, 0)),
    "copy, item": Case(commands=("copy",), run=_copy, settings={"writeMode": "item"}, ends=(0, 0, 0, 22, 0)),
    "copy, fenced": Case(commands=("copy",), run=_copy, settings=FENCED, ends=(0, 0, 0, 22, 0)),
    "copy, two-way": Case(commands=("copy",), run=_copy, settings=CONFLICTS, ends=(0, 0, 0, 22, 0)),
    "copy, made": Case(
        commands=("copy",),
        run=_create,
        settings={"createDestination": "true", "enableStream": "true"},
        ends=(0, 0, 0),
        partly=True,
        on_moto=True,
    ),
    "copy, refused": Case(commands=("copy",), run=_copy_refused, settings=LETTERS, partly=True),
    "copy by way of S3": Case(
        commands=("copy",),
        run=_copy_via_s3,
        options=("--viaS3", VIA_S3),
        settings={"enableStream": "true"},
        ends=(0, 0, 22),
        on_moto=True,
        delegates=True,
    ),
}


class Outcome(NamedTuple):
    """Of all commands of a case: exit statuses, and the lines that say what is wrong."""

    statuses: tuple[int, ...]
    said: tuple[str, ...]


@pytest.fixture(scope="module", autouse=True)
def _moto() -> Iterator[None]:
    with MotoS3() as server:
        server.client().create_bucket(Bucket="letters")
        MOTO.server = server
        yield


@pytest.fixture
def make(dynamodb: DynamoDBLocal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Case], GuardedTask]]:
    """Tasks whose commands wait for no permission, for nobody will give it."""
    MotoTransfers().install(monkeypatch)
    monkeypatch.setattr(transfer, "EVERY_SECONDS", 0.01)
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    loader = botocore.loaders.Loader()  # each session would read its own of a dozen files
    monkeypatch.setattr(botocore.session, "create_loader", lambda _: loader)
    limit_commands(monkeypatch, outage_seconds=0.0, denied_seconds=0.0)
    monkeypatch.setattr(s3_store, "LETTERS", RetryPolicy(denied_seconds=0.0))
    made: list[GuardedTask] = []

    def one(case: Case) -> GuardedTask:
        task = GuardedTask(MOTO.server.endpoint, None if case.on_moto else dynamodb.endpoint, **case.settings)
        made.append(task.__enter__())
        for name, value in task.environment.items():
            monkeypatch.setenv(name, value)
        return task

    yield one
    for task in made:
        task.__exit__()


def _outcome(task: GuardedTask, case: Case) -> Outcome:
    came = case.run(task)
    said = [line.replace(task.suffix, "...") for _, _, errors in came for line in _SAID.findall(errors)]
    return Outcome(tuple(status for status, _, _ in came), tuple(said))


def _is_delegated(grant: Grant) -> bool:
    """:returns: also for what the writer alone has: the bucket's list"""
    return grant.action in DELEGATED or (grant.principal, grant.action) == ("writer", "s3:ListBucket")


@pytest.mark.parametrize("name", CASES)
def test_what_is_listed_is_enough_and_no_more(make: Callable[[Case], GuardedTask], name: str) -> None:
    """With the printed policies alone a command does its work, is denied nothing, and uses all of them."""
    case = CASES[name]
    task = make(case)
    elsewhere = task.listed(*case.commands, leave_out=case.settings) if case.partly else set()
    task.grant(*case.commands, options=case.options)
    outcome = _outcome(task, case)
    assert set() == task.authority.denied
    assert case.ends == outcome.statuses, outcome.said
    assert set() == task.unused() - elsewhere - {
        grant for grant in task.granted() if case.delegates and _is_delegated(grant)
    }


def test_each_action_is_needed(make: Callable[[Case], GuardedTask]) -> None:
    """Without any one of them a command ends otherwise, or says something else."""
    tried: set[Grant] = set()
    unneeded = []
    for name in ("check, fenced, with letters", "status", "repair", "redrive", "copy", "copy, made"):
        case = CASES[name]
        task = make(case)
        elsewhere = task.listed(*case.commands, leave_out=case.settings) if case.partly else set()
        listed = task.grant(*case.commands) - elsewhere
        usual = _outcome(task, case)
        for grant in sorted(listed):
            if (anonymous := task.anonymous(grant)) in tried:  # by another command
                continue
            tried.add(anonymous)
            other = make(case)
            other.grant_as(task, without=grant)
            if _outcome(other, case) == usual:
                unneeded.append(grant)
    assert unneeded == []
