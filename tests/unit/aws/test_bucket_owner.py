"""Whose a bucket must be: one that was deleted and made anew by somebody else is given nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from processor.aws import clients as our_clients
from processor.aws import s3
from processor.aws.clients import Clients
from processor.aws.domains import is_aws
from processor.aws.s3 import Bucket
from processor.commands.check import command as check
from processor.commands.check.options import CheckOptions
from processor.commands.copy.s3 import checks, table_export
from processor.commands.policy import documents, permissions
from processor.commands.policy.arns import ResourceArns
from processor.errors import UnavailableError, UsageError
from processor.replication.dead_letters import stores
from processor.replication.dead_letters.s3_store import LetterBucket
from processor.settings import s3_location
from processor.settings.settings import Settings
from processor.startup import facts, letters_bucket
from processor.startup.preflight import PreflightReport
from tests.fakes.network.faulty_server import Answer, Exchange, FaultyServer
from tests.fakes.task.letters import letter
from tests.fakes.task.tasks import task

OURS, THEIRS, THIRD = "111111111111", "222222222222", "333333333333"
LETTERS = {"onError": "deadLetter", "taskName": "t"}


class Store(FaultyServer):
    """S3 as far as the owner of its one bucket goes, which it checks where a call names one."""

    def __init__(self, owner: str) -> None:
        super().__init__()
        self.owner = owner
        self.expected: list[tuple[str, str | None]] = []
        self.stored: list[bytes] = []

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """As the API reference has ExpectedBucketOwner: denied, with no other word than for any denial."""
        expected = exchange.headers.get("x-amz-expected-bucket-owner")
        self.expected.append((exchange.command, expected))
        if expected not in (None, self.owner):
            content = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
            return Answer(403, content, {"Content-Type": "application/xml"})
        if exchange.command == "PUT":
            self.stored.append(body)
            return Answer(200, b"", {"ETag": '"tag"'})
        if exchange.command == "GET" and urlsplit(exchange.path).query:
            content = b"<ListBucketResult><Contents><Key>t/s/1.json</Key></Contents></ListBucketResult>"
            return Answer(200, content, {"Content-Type": "application/xml"})
        return Answer(200 if exchange.command == "GET" else 204, b"{}" * (exchange.command == "GET"), {"ETag": '"tag"'})


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Store]]:
    """A store that is AWS's, with a bucket of that account; our own account is ``OURS``, as STS says once."""
    stores: list[Store] = []

    def made(owner: str) -> Store:
        store = Store(owner).__enter__()
        stores.append(store)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", store.endpoint)
        monkeypatch.setattr(s3, "is_aws", lambda _: True)
        monkeypatch.setattr(checks, "is_aws", lambda _: True)
        return store

    asked: list[tuple[Clients, str | None]] = []

    def caller(ours: Clients, profile: str | None = None) -> str:
        assert (ours, profile) not in asked
        asked.append((ours, profile))
        return f"arn:aws:sts::{OURS}:assumed-role/replicator/i-1"

    monkeypatch.setattr(Clients, "caller", caller)
    yield made
    for store in stores:
        store.__exit__(None, None, None)


def _use(store: LetterBucket) -> None:
    store.put(letter("a"))
    found = list(store.entries())
    assert store.count(5) == 1
    assert store.remove(found) == 1


def _settings(uri: str = "s3://letters", **more: str) -> Settings:
    return task(**LETTERS, deadLetterUri=uri, **more)


ROLE = {"kclRoleArn": f"arn:aws:iam::{THIRD}:role/keeper"}


@pytest.mark.parametrize(
    ("uri", "more", "owner"),
    [("s3://letters", {}, OURS), (f"s3://letters/here?owner={THEIRS}", {}, THEIRS), ("s3://letters", ROLE, THIRD)],
)
def test_every_call_says_whose_the_bucket_must_be(
    make: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch, uri: str, more: dict[str, str], owner: str
) -> None:
    """Our own account's, which STS is asked for once at most, a role's, or the one that the setting names."""
    server = make(owner)
    if more:
        real = our_clients.session
        monkeypatch.setattr(our_clients, "session", lambda _, **options: real(**options))  # no role is to be had here
    settings = _settings(uri, **more)
    store = stores.of_letters(settings)
    assert isinstance(store, LetterBucket)
    _use(store)
    assert letters_bucket.look(settings, Clients(settings)) == (owner, [])
    assert {each for _, each in server.expected} == {owner}
    assert {command for command, _ in server.expected} == {"PUT", "GET", "DELETE"}


def test_a_bucket_of_somebody_else_is_given_nothing(make: Callable[[str], Store]) -> None:
    """It has our bucket's name, and would take whole items. The message says whose it should be."""
    server = make(THEIRS)
    store = stores.of_letters(_settings())
    assert store is not None
    with pytest.raises(UnavailableError, match=f"PutObject on s3://letters/.*, a bucket of account {OURS}: .*Denied"):
        store.put(letter("a"))
    assert server.stored == []
    (finding,) = letters_bucket.look(_settings(), Clients(_settings())).findings
    for words in (f"account {OURS} does not own", "?owner="):
        assert words in f"{finding.consequence} {finding.remedy}"


def test_a_store_that_is_not_aws_is_told_no_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may know no such header, and STS nothing of its accounts; nobody asks STS for it."""
    monkeypatch.setattr(Clients, "caller", lambda *_: pytest.fail("STS was asked"))
    with Store(THEIRS) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.endpoint)
        store = stores.of_letters(_settings(f"s3://letters?owner={OURS}"))
        assert isinstance(store, LetterBucket)
        _use(store)
    assert {each for _, each in server.expected} == {None}


def test_which_endpoints_are_aws() -> None:
    """By their names: of every partition, of VPC endpoints too."""
    for host in (
        "s3.eu-west-1.amazonaws.com",
        "bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com",
        "s3.cn-north-1.amazonaws.com.cn",
    ):
        assert is_aws(f"https://{host}")
    for host in ("localhost:9000", "amazonaws.com.example.org", "notamazonaws.com", "minio"):
        assert not is_aws(f"http://{host}")


@pytest.mark.parametrize("uri", ["s3://b0b/x?owner=1", "s3://b0b?owner=12345678901a", "s3://b0b?other=123456789012"])
def test_an_owner_is_an_account_s_number(uri: str) -> None:
    """Twelve digits; anything else is refused."""
    with pytest.raises(UsageError, match=r"\?owner=123456789012"):
        _settings(uri)


def test_check_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    """For people and for scripts."""
    report = PreflightReport(facts=facts.Facts(letters_owner=OURS), findings=[])
    for as_json in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(check.preflight, "run", lambda *_, **__: report)
            check.run(_settings("s3://letters/here"), CheckOptions(as_json=as_json))
        assert OURS in capsys.readouterr().out


def test_an_export_goes_to_no_bucket_of_somebody_else(make: Callable[[str], Store]) -> None:
    """By default it is of the source's account, and DynamoDB and S3 are told so."""
    server = make(THEIRS)
    clients = Clients(task())
    source = {"TableName": "orders", "TableArn": f"arn:aws:dynamodb:eu-west-1:{OURS}:table/orders"}
    named = s3_location.s3_location("s3://exports/of")
    owned = named.owned(checks.account_of(clients, source))
    assert (owned.to_export["S3BucketOwner"], owned.to_import("x/1")["S3BucketOwner"]) == (OURS, OURS)
    (finding,) = checks._bucket(clients, owned)
    assert f"account {OURS} does not own" in finding.consequence
    assert server.expected == [("GET", OURS)]
    assert list(checks._bucket(clients, s3_location.s3_location(f"s3://exports/of?owner={THEIRS}"))) == []
    failed = table_export._failed({"ExportArn": "arn"}, owned)
    assert f"a bucket of account {OURS}" in str(failed)


def test_an_emulator_s_export_names_no_owner() -> None:
    """Its accounts are no accounts."""
    clients = Clients(task(sourceEndpoint="http://localhost:8000"))
    owner = checks.account_of(clients, {"TableArn": f"arn:aws:dynamodb:ddblocal:{OURS}:table/orders"})
    assert "S3BucketOwner" not in s3_location.s3_location("s3://exports").owned(owner).to_export


def _statements(settings: Settings, *commands: str) -> dict[str, dict[str, Any]]:
    arns = ResourceArns(
        source_table=f"arn:aws:dynamodb:eu-west-1:{OURS}:table/orders",
        destination_table=f"arn:aws:dynamodb:us-east-1:{THEIRS}:table/orders-copy",
        task_tables=f"arn:aws:dynamodb:eu-west-1:{THIRD}:table/",
        exported=s3_location.s3_location("s3://exports/of"),
    )
    rows = [row for row in permissions.needed(settings, commands) if row.actions[0].startswith("s3:")]
    return {statement["Sid"]: statement for statement in documents._statements(rows, settings, arns)}


def test_policies_hold_to_the_account_and_the_folder() -> None:
    """Of the printed policy: no bucket of somebody else, and no listing of others' objects."""
    found = _statements(_settings("s3://letters/here"), "replicate", "redrive", "copyViaS3")
    account = {sid: each["Condition"]["StringEquals"]["aws:ResourceAccount"] for sid, each in found.items()}
    assert account == {"Letters": THIRD, "LetterBucket": THIRD, "ExportedObjects": OURS, "ExportBucket": OURS}
    assert found["LetterBucket"]["Condition"]["StringLike"] == {"s3:prefix": ["here/t/*"]}
    assert found["ExportBucket"]["Condition"]["StringLikeIfExists"] == {"s3:prefix": ["of", "of/*"]}
    named = _statements(_settings(f"s3://letters/here?owner={THEIRS}"), "replicate")
    assert {each["Condition"]["StringEquals"]["aws:ResourceAccount"] for each in named.values()} == {THEIRS}


def test_an_unknown_account_is_waited_for(make: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where STS can't be asked nothing is put anywhere; the next try asks again."""
    server = make(OURS)
    real = Clients.caller

    def away(*_: object) -> str:
        raise UnavailableError("GetCallerIdentity: timeout", code="Timeout")

    monkeypatch.setattr(Clients, "caller", away)
    store = stores.of_letters(_settings())
    assert store is not None
    with pytest.raises(UnavailableError, match="GetCallerIdentity"):
        store.put(letter("a"))
    assert server.expected == []
    monkeypatch.setattr(Clients, "caller", real)
    store.put(letter("a"))
    assert len(server.stored) == 1


def test_a_bucket_without_a_known_owner_is_as_before() -> None:
    """As tests and stores have it."""
    assert Bucket("b", connect=Clients(task()).s3).owner is None
