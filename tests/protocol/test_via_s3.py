"""Copies by way of S3, on an AWS of moto's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from moto import mock_aws

from processor.aws.clients import Clients
from processor.commands.copy import command
from processor.commands.copy.options import CopyOptions
from processor.commands.copy.s3 import checks, quotas, transfer
from processor.commands.copy.s3.transfer import SavedTransfer, TransferCounts
from processor.errors import NotReadyError, StoppedError, TransferError, UsageError
from processor.settings.s3_location import s3_location
from processor.settings.settings import Settings
from processor.state import copy_rows
from tests.fakes.aws.moto_transfers import LOG_GROUP, MotoTransfers
from tests.fakes.machine.as_process import as_process
from tests.fakes.task.tasks import task as settings_of

BUCKET_REGION = {"LocationConstraint": "eu-west-1"}  # the source's
KEY = [{"AttributeName": "id", "KeyType": "HASH"}]
BY_DAY = {
    "IndexName": "by-day",
    "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
TAGS = [{"Key": "team", "Value": "orders"}]
ITEMS = [
    {"id": {"S": f"{number:03}"}, "day": {"S": f"d{number % 7}"}, "amount": {"N": "0.1"}, "raw": {"SS": ["a", "b"]}}
    for number in range(12)
]
URI = "s3://exports/of/orders"


class Killed(BaseException):
    """This process was killed: nothing may catch it."""


class Copy:
    """A source with items, a bucket, and the runs of one copy, of which each knows what those before it stored."""

    def __init__(self, transfers: MotoTransfers, settings: Settings, clients: Clients) -> None:
        self.transfers = transfers
        self.settings = settings
        self.clients = clients
        self.source: Any = self.clients.source()
        self.destination: Any = self.clients.destination()
        self.s3: Any = self.clients.export_s3()
        self.s3.create_bucket(Bucket="exports", CreateBucketConfiguration=BUCKET_REGION)
        table = self.source.create_table(
            TableName="orders",
            KeySchema=KEY,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "day")],
            BillingMode="PAY_PER_REQUEST",
            GlobalSecondaryIndexes=[BY_DAY],
            DeletionProtectionEnabled=True,
            SSESpecification={"Enabled": True, "SSEType": "KMS"},
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )["TableDescription"]
        self.restorable(on=True)
        self.source.tag_resource(ResourceArn=table["TableArn"], Tags=TAGS)
        self.source.update_time_to_live(
            TableName="orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
        )
        self.source.batch_write_item(RequestItems={"orders": [{"PutRequest": {"Item": item}} for item in ITEMS]})
        self.saved = SavedTransfer(id="c0ffee", started_ms=int(time.time() * 1000), stream_arn=table["LatestStreamArn"])
        self.progress: list[str] = []
        self.before_save: Callable[[], None] = lambda: None
        self.after_save: Callable[[], None] = lambda: None

    def restorable(self, *, on: bool, table: str = "orders") -> None:
        """Turn a table's point-in-time recovery on or off."""
        self.source.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
        )

    def run(self, **more: Any) -> TransferCounts:
        """One run."""

        def save(**given: str) -> None:
            self.before_save()
            self.saved = msgspec.structs.replace(self.saved, **given)
            self.after_save()

        given = {"saved": self.saved, "save": save, "progress": self.progress.append, "every_seconds": 0.01}
        return transfer.run(self.settings, self.clients, URI, **(given | more))

    def findings(self) -> list[str]:
        """Severity and text, before anything is begun."""
        found = checks.findings(self.settings, self.clients, s3_location(URI))
        return [f"{finding.severity} {finding.object}: {finding.value}" for finding in found]

    def table(self) -> dict[str, Any]:
        """The destination's DescribeTable."""
        found: dict[str, Any] = self.destination.describe_table(TableName="orders-copy")["Table"]
        return found

    def copied(self) -> list[dict[str, Any]]:
        """The destination's items."""
        items = self.destination.scan(TableName="orders-copy")["Items"]
        return sorted(items, key=lambda item: str(item["id"]["S"]))


SETTINGS = settings_of(destinationStream="true")


class FewClients(Clients):
    """One for S3, too: to make a client costs more than a test."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._export_s3 = super().export_s3()

    def export_s3(self) -> Any:
        """The same each time."""
        return self._export_s3


@pytest.fixture(scope="module")
def clients() -> Clients:
    """In moto each test has an account of its own, whichever client asks."""
    return FewClients(SETTINGS)


@pytest.fixture
def copy(monkeypatch: pytest.MonkeyPatch, clients: Clients) -> Iterator[Copy]:
    """A source that is ready to be copied."""
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")  # moto knows the streams' old host name only
    with mock_aws():
        transfers = MotoTransfers().install(monkeypatch)
        yield Copy(transfers, SETTINGS, clients)
        transfers.held = False


def test_a_table_is_copied_with_its_definition(copy: Copy) -> None:
    """The new table has the source's items, index, TTL, tags and protection, and the stream that was asked for."""
    (encrypted,) = copy.findings()
    assert encrypted.startswith("warning encryption of source table orders")
    counts = copy.run()
    assert (counts.items, [finding.object for finding in counts.findings]) == (
        12,
        ["encryption of source table orders"],
    )
    assert copy.copied() == ITEMS
    table = copy.table()
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-day"]
    assert table["DeletionProtectionEnabled"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    ttl = copy.destination.describe_time_to_live(TableName="orders-copy")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert copy.destination.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == TAGS
    assert copy.saved.export_arn == copy.transfers.exports[0].arn
    assert copy.saved.import_arn == copy.transfers.imports[0].arn


@pytest.fixture
def _in_process(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command with the clients there are, looking often; its signals are given back."""
    monkeypatch.setattr(command, "Clients", lambda *_, **__: clients)
    monkeypatch.setattr(transfer, "EVERY_SECONDS", 0.01)
    with as_process():
        yield


@pytest.mark.usefixtures("_in_process")
def test_the_command_copies_and_then_says_that_it_did(copy: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    """``copy --viaS3`` keeps its ARNs with the task, so given again it has nothing to do, and exports nothing."""
    options = CopyOptions(via_s3=URI)
    assert command.run(copy.settings, CopyOptions(via_s3=URI, dry_run=True)) == 0
    said = capsys.readouterr().err
    assert "encryption of source table orders" in said
    assert "export and import: less than a cent (list prices of us-east-1" in said
    assert "units" not in said
    assert copy.transfers.exports == []
    assert command.run(copy.settings, options) == 0
    assert copy.copied() == ITEMS
    assert command.run(copy.settings, options) == 0
    assert "copied already, 12 items" in capsys.readouterr().err
    assert len(copy.transfers.exports) == 1
    row = copy_rows.read(copy.clients.checkpoints(), copy.settings.task_table)
    assert row is not None
    assert (row.state, row.export_arn) == ("done", copy.transfers.exports[0].arn)


@pytest.mark.usefixtures("_in_process", "copy")
def test_rates_say_nothing_of_such_a_copy(capsys: pytest.CaptureFixture[str]) -> None:
    """Percentages of a table that is on demand, or not there yet, are no errors: neither is read nor written."""
    settings = settings_of(copyReadUnits="50%", copyWriteUnits="50%")
    assert command.run(settings, CopyOptions(via_s3=URI, dry_run=True)) == 0
    assert "Units" not in capsys.readouterr().err


@pytest.mark.usefixtures("_in_process")
def test_the_command_turns_the_stream_on(copy: Copy) -> None:
    """EnableStream is heeded by way of S3 too, before anything is exported; createDestination has nothing to make."""
    copy.source.create_table(
        TableName="bare",
        KeySchema=KEY,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    copy.source.put_item(TableName="bare", Item=ITEMS[0])
    copy.restorable(on=True, table="bare")
    settings = settings_of(sourceTable="bare", enableStream="true", createDestination="true")
    assert command.run(settings, CopyOptions(via_s3=URI)) == 0
    assert copy.copied() == ITEMS[:1]
    assert copy.source.describe_table(TableName="bare")["Table"]["StreamSpecification"]["StreamEnabled"]


def test_a_second_run_finds_it_done(copy: Copy) -> None:
    """What was stored is gone on from: neither export nor import is made once more."""
    first = copy.run()
    assert first == copy.run()
    assert (len(copy.transfers.exports), len(copy.transfers.imports)) == (1, 1)


@pytest.mark.parametrize("when", ["before_save", "after_save"])
@pytest.mark.parametrize("which", [1, 2])
def test_killed_at_any_moment_it_goes_on(copy: Copy, when: str, which: int) -> None:
    """A run that is killed just before or after it stored what it began leaves one export and one import."""
    saves = 0

    def kill() -> None:
        nonlocal saves
        saves += 1
        if saves == which:
            raise Killed

    setattr(copy, when, kill)
    with pytest.raises(Killed):
        copy.run()
    counts = copy.run()
    assert (counts.items, copy.copied()) == (12, ITEMS)
    assert (len(copy.transfers.exports), len(copy.transfers.imports)) == (1, 1)


def test_stopped_while_it_waits_it_goes_on(copy: Copy) -> None:
    """A stop ends the wait, says how far it was, and the next run waits for the same export."""
    copy.transfers.held = True
    stop = threading.Event()

    def progress(line: str) -> None:
        copy.progress.append(line)
        stop.set()

    with pytest.raises(StoppedError):
        copy.run(stop=stop, progress=progress)
    assert copy.progress == ["Exporting to s3://exports/of/orders"]
    copy.transfers.held = False
    assert copy.run().items == 12
    assert len(copy.transfers.exports) == 1


def test_all_that_is_not_ready_is_said_at_once(copy: Copy) -> None:
    """Recovery that is off, a destination that is there, no bucket: errors all, and nothing is begun."""
    copy.restorable(on=False)
    copy.s3.delete_bucket(Bucket="exports")
    copy.destination.create_table(
        TableName="orders-copy",
        KeySchema=KEY,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(NotReadyError) as caught:
        copy.run()
    for words in (
        "destination table orders-copy in us-east-1: exists",
        "point-in-time recovery of source table orders: is off",
        "update-continuous-backups --table-name orders",
        "bucket exports: does not exist",
    ):
        assert words in str(caught.value)
    assert copy.transfers.exports == []


def test_local_indexes_forbid_it(copy: Copy) -> None:
    """An import makes no local index, so such a source is refused."""
    copy.source.create_table(
        TableName="orders-by-day",
        KeySchema=[*KEY, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "at", "day")],
        BillingMode="PAY_PER_REQUEST",
        LocalSecondaryIndexes=[{**BY_DAY, "KeySchema": [*KEY, {"AttributeName": "day", "KeyType": "RANGE"}]}],
    )
    copy.settings = settings_of(sourceTable="orders-by-day")
    assert "error source table orders-by-day: has local indexes (by-day)" in copy.findings()


@pytest.mark.parametrize(("others", "said"), [(49, []), (50, ["imports"]), (300, ["exports", "imports"])])
def test_others_that_are_under_way(copy: Copy, others: int, said: list[str]) -> None:
    """As many as AWS allows at once are a warning, for AWS may allow this account more."""
    copy.transfers.others_under_way = others
    found = "\n".join(copy.findings())
    for what, region in (("exports", "eu-west-1"), ("imports", "us-east-1")):
        assert (f"warning {what} in {region}: {others} are under way" in found) == (what in said)


@pytest.mark.parametrize(
    ("tera", "region", "words"),
    [
        (0.9, "eu-north-1", []),
        (1.1, "eu-north-1", ["1 TB of imports into eu-north-1"]),
        (14, "us-east-1", []),
        (16, "us-east-1", ["15 TB of imports into us-east-1"]),
        (101, "us-west-2", ["100 TB of exports", "15 TB of imports into us-west-2"]),
    ],
)
def test_a_table_past_aws_quotas(tera: float, region: str, words: list[str]) -> None:
    """By the region that it is imported into."""
    found = [each.value for each in quotas._size({"TableName": "t", "TableSizeBytes": int(tera * 1024**4)}, region)]
    assert len(found) == len(words)
    assert all(word in value for word, value in zip(words, found, strict=True))


def test_words_that_are_no_place_are_refused(copy: Copy) -> None:
    """A place that is none is an error of the command line."""
    with pytest.raises(UsageError, match="--viaS3: 'exports'"):
        transfer.run(copy.settings, copy.clients, "exports", saved=copy.saved, save=lambda **_: None, progress=print)


def test_a_failed_export_is_followed_by_another(copy: Copy) -> None:
    """A failure is said with AWS's words, and forgotten, so that the next run exports again."""
    copy.transfers.held = True

    def lose_the_bucket() -> None:
        if copy.saved.export_arn:
            copy.s3.delete_bucket(Bucket="exports")
            copy.transfers.held = False

    copy.after_save = lose_the_bucket
    with pytest.raises(TransferError, match="S3NoSuchBucket: The specified bucket does not exist"):
        copy.run()
    assert copy.saved.export_arn == ""
    copy.s3.create_bucket(Bucket="exports", CreateBucketConfiguration=BUCKET_REGION)
    copy.after_save = lambda: None
    assert copy.run().items == 12
    assert len(copy.transfers.exports) == 2


@pytest.mark.parametrize("counted", [True, False])
def test_an_import_that_left_items_out_has_failed(copy: Copy, *, counted: bool) -> None:
    """One item that was not imported, counted as an error or not, is a failure that names the log."""
    copy.transfers.lost_items = 1
    copy.transfers.errors_are_counted = counted
    with pytest.raises(TransferError) as caught:
        copy.run()
    for words in (f"{counted:d} errors, 11 of 12 items imported", LOG_GROUP, "delete the destination table"):
        assert words in str(caught.value)
    assert (bool(copy.saved.export_arn), copy.saved.import_arn) == (True, "")


@pytest.mark.parametrize("counted", [True, False])
def test_after_a_failed_import_the_same_export_is_imported_again(copy: Copy, *, counted: bool) -> None:
    """While the table of the failed one is there, that is said; then another import fills a new one."""
    copy.transfers.lost_items = 1
    copy.transfers.errors_are_counted = counted
    for words in (f"{counted:d} errors", "Delete table orders-copy"):
        with pytest.raises(TransferError, match=words):
            copy.run()
    copy.destination.delete_table(TableName="orders-copy")
    assert copy.run().items == 12
    assert (len(copy.transfers.exports), len(copy.transfers.imports)) == (1, 2)


@pytest.mark.parametrize("word", ["ImportConflictException", "IdempotentParameterMismatch"])
def test_after_a_failed_import_the_source_may_be_defined_otherwise(copy: Copy, word: str) -> None:
    """Without the index that refused items, say: another request, for which AWS refuses the first one's token."""
    copy.transfers.lost_items = 1
    copy.transfers.mismatch = word
    with pytest.raises(TransferError, match="1 errors"):
        copy.run()
    copy.destination.delete_table(TableName="orders-copy")
    copy.source.update_table(
        TableName="orders", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": BY_DAY["IndexName"]}}]
    )
    assert copy.run().items == 12
    assert not copy.table().get("GlobalSecondaryIndexes")


def test_an_export_of_a_moment_before_the_stream_is_not_used(copy: Copy) -> None:
    """Changes between that moment and the stream's beginning would be in neither."""
    copy.transfers.moment = datetime(2020, 1, 1, tzinfo=timezone.utc)
    with pytest.raises(TransferError, match=r"2020-01-01 .* before stream"):
        copy.run()
    assert copy.saved.export_arn == ""
    assert copy.transfers.imports == []


def test_a_stream_that_was_off_and_on_ends_it(copy: Copy) -> None:
    """The copy is good only with the stream that was on when it began."""
    copy.saved = msgspec.structs.replace(copy.saved, stream_arn=f"{copy.saved.stream_arn}-before")
    with pytest.raises(TransferError, match=r"it was .*-before when this copy began, and is arn:"):
        copy.run()
    assert copy.transfers.exports == []


@pytest.mark.parametrize(("hours", "begun"), [(21, False), (25, True)])
def test_it_does_not_outlast_the_stream(copy: Copy, hours: int, *, begun: bool) -> None:
    """Past 20 hours nothing is begun, past 24 nothing is waited for; in between an import is seen to its end."""
    if begun:
        copy.run()
    later = time.time() + hours * 3600
    with pytest.raises(TransferError, match=f"began {hours}.0 hours ago"):
        copy.run(now=lambda: later)


def test_an_import_that_ends_late_is_still_in_time(copy: Copy) -> None:
    """Between 20 and 24 hours what was begun in time is finished."""
    copy.run()
    later = time.time() + 21 * 3600
    assert copy.run(now=lambda: later).items == 12
