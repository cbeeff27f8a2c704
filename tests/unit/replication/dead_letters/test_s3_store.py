"""Dead letters in a bucket, on moto's S3."""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from processor.aws.clients import Clients
from processor.aws.redaction import WITHHELD
from processor.aws.s3 import Bucket
from processor.errors import CredentialsError, DeadLetterError, UnavailableError
from processor.flow.retry_policy import LETTERS
from processor.replication.dead_letters.letter import encode
from processor.replication.dead_letters.s3_store import LetterBucket
from tests.fakes.aws.moto_s3 import MotoS3
from tests.fakes.streams.stream_record import sequence_number
from tests.fakes.task.letters import letter
from tests.fakes.task.tasks import task

FOLDER = "of/ours/t/"


@pytest.fixture(scope="module")
def server() -> Iterator[MotoS3]:
    """One for all tests here."""
    with MotoS3() as made:
        yield made


class Place:
    """A fresh bucket, a clock that stands still, and errors that the next calls meet."""

    def __init__(self, server: MotoS3) -> None:
        self.name = f"letters-{uuid.uuid4().hex[:8]}"
        self.server = server
        self.now = 0.0
        self.made = 0
        self.errors: deque[str] = deque()
        server.client().create_bucket(Bucket=self.name)
        self.store = self.open()

    def open(self, name: str | None = None) -> LetterBucket:
        """The letters of task ``t``."""
        bucket = Bucket(name or self.name, connect=self._connect)
        return LetterBucket(bucket, prefix="of/ours", task_name="t", clock=lambda: self.now)

    def _connect(self) -> Any:
        self.made += 1
        client = Clients(task()).s3()

        def fail(**_: Any) -> None:
            if self.errors:
                code = self.errors.popleft()
                raise ClientError(
                    {
                        "Error": {"Code": code, "Message": "as the test wants it"},
                        "ResponseMetadata": {"HTTPStatusCode": int(code) if code.isdigit() else 400},  # type: ignore[typeddict-item]
                    },
                    "Call",
                )

        client.meta.events.register("before-call.s3", fail)
        return client

    def objects(self) -> dict[str, bytes]:
        """All there is in it."""
        return self.server.objects(self.name)


@pytest.fixture
def place(server: MotoS3, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Where the letters are."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return Place(server)


def test_a_change_has_one_letter_however_often_it_is_met(place: Place) -> None:
    """The object's name is the change's, so a replay after a crash replaces its letter."""
    place.store.put(letter("a", number=5))
    place.store.put(letter("a", number=5))
    place.store.put(letter("a", number=6))
    names = [f"{FOLDER}shard-1/{sequence_number(number)}.json" for number in (5, 6)]
    assert names == list(place.objects())
    assert encode(letter("a", number=5)) == place.objects()[names[0]]


def test_no_error_of_a_letter_holds_what_is_in_it(place: Place) -> None:
    """A store may repeat what it was sent, a whole item; what it says of other calls is shown."""
    bucket = Bucket(place.name, connect=place._connect)
    place.errors.extend(["InternalError", "InternalError"])
    with pytest.raises(UnavailableError, match=WITHHELD):
        bucket.put("key", b"{}")
    with pytest.raises(UnavailableError, match="as the test wants it"):
        bucket.look()


def test_every_letter_is_found_and_nothing_of_others(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters are read over all pages, with the place of each; what is no letter says so; other tasks' stay unread."""
    client = place.server.client()
    for number in range(5):
        place.store.put(letter(str(number), number=number))
    client.put_object(Bucket=place.name, Key=f"{FOLDER}torn.json", Body=b'{"torn": "secret')
    client.put_object(Bucket=place.name, Key="of/ours/t2/x.json", Body=b"{}")
    client.put_object(Bucket=place.name, Key=FOLDER, Body=b"")
    connect = place._connect

    def two_at_a_time() -> Any:
        made = connect()
        made.meta.events.register(
            "provide-client-params.s3.ListObjectsV2", lambda params, **_: {**params, "MaxKeys": 2}
        )
        return made

    monkeypatch.setattr(place, "_connect", two_at_a_time)
    found = list(place.open().entries())
    assert sorted(f"s3://{place.name}/{name}" for name in place.objects() if "t2" not in name and name != FOLDER) == [
        entry.place for entry in found
    ]
    assert [f"{FOLDER}torn.json"] == [
        entry.place.removeprefix(f"s3://{place.name}/") for entry in found if entry.heading is None
    ]
    assert "secret" not in found[-1].problem


def test_one_listing_without_letters_is_not_believed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redrive would say that there is nothing left to do."""
    place.store.put(letter("a"))
    answers: deque[dict[str, Any]] = deque([{}])
    bucket = Bucket(place.name, connect=place._connect)
    client = bucket._connected()
    listed = client.list_objects_v2
    monkeypatch.setattr(client, "list_objects_v2", lambda **given: answers.popleft() if answers else listed(**given))
    store = LetterBucket(bucket, prefix="of/ours", task_name="t")
    assert len(list(store.entries())) == 1
    assert not answers


def test_a_letter_that_was_written_anew_meanwhile_stays(place: Place) -> None:
    """Only the object that was read is removed: one refused once more has a newer letter, of another time."""
    for name in "abc":
        place.store.put(letter(name, number=ord(name)))
    a, b, c = place.store.entries()
    newer = json.loads(encode(letter("b", number=ord("b")))) | {"time": "later"}
    place.server.client().put_object(
        Bucket=place.name, Key=b.place.removeprefix(f"s3://{place.name}/"), Body=json.dumps(newer).encode()
    )
    assert place.store.remove([c]) == 1
    place.store.remove([a, b, c])
    assert [b.place] == [entry.place for entry in place.store.entries()]


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "ExpiredToken", "InvalidAccessKeyId"])
def test_what_may_work_later_is_tried_again(code: str, place: Place) -> None:
    """S3 out of order, or credentials out of date: unavailable for as long as it takes, never an end."""
    for _ in range(3):
        place.errors.append(code)
        with pytest.raises(UnavailableError, match=code):
            place.store.put(letter("a"))
        place.now += LETTERS.denied_seconds
    place.store.put(letter("a"))
    assert len(place.objects()) == 1


@pytest.mark.parametrize("code", ["NotImplemented", "501", "InvalidRequest", "KMS.DisabledException"])
def test_what_is_not_to_be_had_there_is_not_waited_for_in_silence(code: str, place: Place) -> None:
    """A store that can't do what it is asked says the same tomorrow: after a minute a person has to see to it."""
    place.errors.append(code)
    with pytest.raises(UnavailableError, match=code):
        place.store.put(letter("a"))
    place.now += LETTERS.denied_seconds
    place.errors.append(code)
    with pytest.raises(DeadLetterError, match=code):
        place.store.put(letter("a"))


def test_refused_access_ends_it_after_a_while(place: Place) -> None:
    """A minute of AccessDenied, with credentials looked up anew each time, is an error with a remedy."""
    for _ in range(2):
        place.errors.append("AccessDenied")
        with pytest.raises(UnavailableError, match="AccessDenied"):
            place.store.put(letter("a"))
        place.now += LETTERS.denied_seconds / 2
    place.errors.append("AccessDenied")
    with pytest.raises(DeadLetterError, match=r"It is kept.*allow s3:PutObject on s3://letters-\w+/of/ours/t/\*"):
        place.store.put(letter("a"))
    assert place.made == 3
    place.store.put(letter("a"))


def test_a_refusal_long_after_another_is_a_new_one(place: Place) -> None:
    """Two refusals with a long time of peace between them are not a lasting one."""
    for _ in range(2):
        place.errors.append("AccessDenied")
        with pytest.raises(UnavailableError):
            place.store.put(letter("a"))
        place.now += LETTERS.denied_seconds * 100


def test_a_missing_bucket_is_named(place: Place) -> None:
    """Without its bucket a letter waits a minute, then the error says what can't be written where."""
    store = place.open("no-such-bucket")
    with pytest.raises(UnavailableError, match="NoSuchBucket"):
        store.put(letter("a"))
    place.now += LETTERS.denied_seconds
    with pytest.raises(DeadLetterError, match="s3://no-such-bucket/of/ours/t/"):
        store.put(letter("a"))
    with pytest.raises(DeadLetterError, match="can't be read"):
        list(store.entries())


@pytest.mark.parametrize(
    ("act", "what"),
    [(lambda store: list(store.entries()), "read"), (lambda store: store.remove(store.found), "removed")],
)
def test_reading_and_removing_say_what_is_missing(act: Callable[[Any], object], what: str, place: Place) -> None:
    """Refused access to letters that are there is an error at once, and names the permissions."""
    place.store.put(letter("a"))
    place.store.found = list(place.store.entries())  # type: ignore[attr-defined]
    place.errors.append("AccessDenied")
    with pytest.raises(DeadLetterError, match=f"can't be {what}.*None of them is lost.*s3:DeleteObject"):
        act(place.store)
    place.errors.append("InvalidAccessKeyId")
    with pytest.raises(UnavailableError):
        act(place.store)


def test_a_page_is_no_confirmation(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer without S3's tag, as of a proxy's page, keeps the change where it is."""
    client = Clients(task()).s3()
    monkeypatch.setattr(client, "put_object", lambda **_: {"ResponseMetadata": {}})
    bucket = Bucket(place.name, connect=lambda: client)
    with pytest.raises(UnavailableError, match="none of S3's"):
        bucket.put("x", b"{}")


def test_no_credentials_are_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials anywhere the letter waits for some."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(CredentialsError):
        Bucket("bucket", connect=Clients(task()).s3).look()


def test_letters_are_counted_by_their_names(place: Place) -> None:
    """Up to a limit; a bucket that can't be listed is an error, not an empty one."""
    for number in range(4):
        place.store.put(letter(str(number), number=number))
    assert [place.store.count(most) for most in (2, 3, 4, 9)] == [3, 4, 4, 4]
    place.errors.append("AccessDenied")
    with pytest.raises(DeadLetterError, match="can't be counted"):
        place.store.count(9)
