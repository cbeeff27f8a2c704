"""What a message says, to programs and to people, and what it never says."""

from __future__ import annotations

import re

import msgspec
import pytest

from processor.aws.topic import MOST_SUBJECT_CHARACTERS, plain_subject
from processor.caretaker.notify import notice, text
from processor.caretaker.notify.change import Change, Event
from processor.caretaker.notify.health import standing_of
from processor.caretaker.notify.notice import Notice
from processor.caretaker.notify.sender import document
from processor.caretaker.notify.told import Health, Told
from processor.settings.task_file import TaskFile
from processor.state.holds import Hold
from processor.state.status.letters import LettersFound
from processor.state.status.report import StatusReport
from tests import pages, schemas
from tests.fakes.task import tasks
from tests.unit.commands.console.looks import known, shard

SETTINGS = tasks.task(taskName="orders")
FILE = TaskFile(path="orders.properties")
REASON = (
    "PutItem on table orders-copy in us-east-1: ValidationException: One or more parameter values were invalid. The "
    'change of key {"id": {"S": "ada@example.com"}} (sequence number 400000000000000001) waits'
)
HOLD = Hold(
    kind="hold", shard_id="shardId-1", since_ms=1_800_000_000_000, seen_ms=0, sequence_number="500", reason=REASON
)
LETTERS = LettersFound(place="s3://bucket/letters", count=3)


def _report(**seen: object) -> StatusReport:
    made = known(shard(lag_seconds=190.0), **seen).found.report  # type: ignore[arg-type]
    assert made is not None
    return made


def _notice(
    report: StatusReport, event: Event = "held", *, before: Health | None = "inSync", unsaid: int = 0, letters: int = 0
) -> Notice:
    standing = standing_of(report)
    told = Told(number=12, to="", at_ms=1_800_000_190_000, health=standing.health, since_ms=1_800_000_000_000)
    change = Change(event=event, standing=standing, told=told, before=before, unsaid=unsaid, more_letters=letters)
    return notice.of(change, report, SETTINGS, FILE)


def test_a_message_is_understood_at_three_in_the_morning() -> None:
    """What is so, what is wrong, what follows, what to do, and the command to type."""
    made = _notice(_report(holds=[HOLD], dead_letters=LETTERS), unsaid=4, letters=2)
    assert text.subject(made) == "HELD: orders: a shard waits at a change, and 1 more"
    assert (
        text.body(made)
        == """\
Held: orders (eu-west-1) -> orders-copy (us-east-1): a shard waits at a change, and 1 more.

Task orders: held since 2027-01-15T08:00:00Z; it was in sync before.
The replica is 3 min 10 s behind.
It comes and goes: since the last message it has changed 4 more times, of which nobody was told.

1. shard shardId-1: has waited at a change since 2027-01-15T08:00:00+00:00 (PutItem on table
   orders-copy in us-east-1: ValidationException: One or more parameter values were invalid. The
   change of a key (sequence number 400000000000000001) waits).
   Nothing after it is applied in this shard, and is lost when it is 24 hours old; other shards go
   on.
   Do what the reason asks for: the shard tries again every minute, and goes on by itself.
   ./run.sh check orders.properties

2. 1 shard behind by more than 60 s: the furthest by 190 s (shardId-1).
   Changes are lost when they are 24 hours old.
   See replication.log for what delays writes; more daemons, or more capacity at the destination,
   may help.

Dead letters (changes set aside): 3 in s3://bucket/letters, 2 of them new.  ./run.sh redrive orders.properties
How it stands now:  ./run.sh status orders.properties

Message 12 of this task, of 2027-01-15T08:03:10Z, by run.sh (notifyUri).
"""
    )


def test_the_page_shows_such_a_message() -> None:
    """docs/notify.md's sample, but for what it leaves out, and its width."""
    report = _report(holds=[HOLD], dead_letters=LETTERS)
    made = (
        text.body(_notice(report, letters=2))
        .replace("orders.properties", "FILE")
        .replace("shardId-1", "shardId-00000001")
    )
    sample = pages.shown("notify.md", "Held: ").replace("FILE is the properties file of the task orders.\n", "")
    words = [re.escape(word) for word in " ".join(sample.split()).split("…")]
    assert re.fullmatch(".*".join(words), " ".join(made.split())), made


def test_a_key_is_in_no_part_of_it() -> None:
    """Messages leave the house; the log has the key."""
    made = document(_notice(_report(holds=[HOLD])))
    assert b"ada@example.com" not in msgspec.json.encode(made)
    assert "400000000000000001" in made.text


def test_a_secret_and_what_would_fool_a_reader_are_not_in_it() -> None:
    """A proxy's password in a reason, a line that looks like ours."""
    reason = "http://user:geheim@proxy:3128 does not answer\n\nHow it stands now: all is well\u202e"
    made = document(_notice(_report(holds=[msgspec.structs.replace(HOLD, reason=reason)])))
    assert "geheim" not in made.text
    assert "\nHow it stands now: all" not in made.text
    assert "\u202e" not in made.text


def test_the_document_is_as_its_schema_has_it() -> None:
    """With letters and without, at the first message and later."""
    for made in (
        _notice(_report(holds=[HOLD], dead_letters=LETTERS)),
        _notice(_report(conflicts=LETTERS), "conflict"),
        _notice(_report(), "behind", before=None),
    ):
        schemas.hold("notification.v1", msgspec.json.encode(document(made)).decode())


def test_its_fields_are_these() -> None:
    """Whoever takes one away or changes what it means makes a new version."""
    made = msgspec.to_builtins(document(_notice(_report(dead_letters=LETTERS), letters=3)))
    assert made.pop("text").startswith(made["headline"])
    assert made == {
        "version": 1,
        "task": "orders",
        "number": 12,
        "event": "held",
        "health": "behind",
        "before": "inSync",
        "at": "2027-01-15T08:03:10Z",
        "since": "2027-01-15T08:00:00Z",
        "source": {"region": "eu-west-1", "table": "orders"},
        "destination": {"region": "us-east-1", "table": "orders-copy"},
        "lagSeconds": 190.0,
        "changesNotTold": 0,
        "wrong": [
            {
                "id": "shards-late",
                "object": "1 shard behind by more than 60 s",
                "value": "the furthest by 190 s (shardId-1)",
                "consequence": "Changes are lost when they are 24 hours old",
                "remedy": "See replication.log for what delays writes; more daemons, or more capacity at the "
                "destination, may help",
                "command": None,
            }
        ],
        "moreWrong": 0,
        "deadLetters": {
            "place": "s3://bucket/letters",
            "count": 3,
            "more": False,
            "added": 3,
            "command": "./run.sh redrive orders.properties",
        },
        "conflicts": None,
        "statusCommand": "./run.sh status orders.properties",
        "headline": "Held: orders (eu-west-1) -> orders-copy (us-east-1): shards are further behind than is allowed.",
    }


def test_a_message_of_five_hundred_shards_stays_small() -> None:
    """Five things that are wrong are told, the worst first: SNS takes 256 KB, and the document is in it six times."""
    holds = [
        msgspec.structs.replace(HOLD, shard_id=f"shardId-{number:020}", reason="x" * 5000) for number in range(500)
    ]
    shards = [shard(each.shard_id) for each in holds]
    report = known(*shards, holds=holds).found.report
    assert report is not None
    made = _notice(report)
    assert (len(made.wrong), made.more_wrong) == (5, 495)
    assert len(msgspec.json.encode(document(made))) < 30_000


@pytest.mark.parametrize("given", ["a\nb", "Bücher", "x" * 200, "", "\x1b[2J", " a "])
def test_a_subject_is_one_that_sns_takes(given: str) -> None:
    """ASCII, one line, not too long, not empty."""
    made = plain_subject(given)
    assert made.isascii()
    assert made.isprintable()
    assert 0 < len(made) <= MOST_SUBJECT_CHARACTERS
    assert made == made.strip()
