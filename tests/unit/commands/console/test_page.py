"""What the page says of a task: a sentence that is understood at once, and what mends what is wrong."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from processor.commands.console import page
from processor.commands.console.known import Known
from processor.commands.console.page import TaskPage
from processor.errors import UsageError
from processor.settings.named_task import NamedTask
from processor.settings.task_file import TaskFile
from processor.state.care_row import CareRow, Trouble
from processor.state.holds import Hold
from processor.state.status.letters import LettersFound
from processor.state.status.snapshot import Unread
from processor.state.status.task_status import TaskStatus
from processor.state.status.verification import Verification, VerificationProgress
from processor.state.verification_row import Failure, Verified
from tests.fakes.task import copies
from tests.unit.commands.console.looks import known, lag, shard

HELD = (
    'Table orders-copy in us-east-1 will never accept the insert of key {"id":{"S":"secret (sequence number 7): "}} '
    "(sequence number 12345): Item size has exceeded the maximum allowed size. It is not applied."
)

_COPY = copies.under_way(items=250, filtered=50)


def _figures(made: TaskPage) -> dict[str, str]:
    return {each.id: each.value for each in made.figures}


def _fact(made: TaskPage, name: str) -> page.Fact:
    return next(each for each in made.facts if each.id == name)


def test_a_task_that_is_in_sync() -> None:
    """One glance says so, with all of the 24 hours left, and nothing asks for anybody."""
    made = page.of_task(known(lags={"shardId-1": lag(0.0, 0)}))
    assert (made.verdict.level, made.verdict.word) == ("ok", "In sync")
    assert made.verdict.sentence == "Every change is applied."
    assert _figures(made) == {"behind": "0 s", "left": "24.0 h", "pending": "0", "written": "?", "applied": "?"}
    assert (made.wrong, made.name) == ([], "orders")
    assert _fact(made, "destination").value.endswith("is there and active; no shard reports a write that it refuses")


def test_a_task_that_is_a_little_behind() -> None:
    """It is healthy; how far it is behind right now is said."""
    made = page.of_task(known(shard(lag_seconds=3.2), lags={"shardId-1": lag(3.2, 1234)}))
    assert (made.verdict.word, made.verdict.sentence) == ("Healthy", "The replica is 3.2 s behind.")
    assert _figures(made) | {"written": "", "applied": ""} == {
        "behind": "3.2 s",
        "left": "24.0 h",
        "pending": "1,234",
        "written": "",
        "applied": "",
    }


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"settings": {"checkpointIntervalMillis": "5000"}}, "up to 3.2 s"),
        ({"lag_about": True}, "about 3.2 s"),
    ],
)
def test_a_lag_that_may_be_wrong_says_so(changed: dict[str, Any], words: str) -> None:
    """As in status; and the figure says why."""
    made = page.of_task(known(shard(lag_seconds=3.2), **changed))
    assert (made.verdict.behind, made.verdict.sentence) == (words, f"The replica is {words} behind.")
    assert _figures(made)["behind"] == words.replace("up to", "≤").replace("about", "≈")
    bounded = page.of_task(msgspec.structs.replace(known(shard(lag_seconds=3.2)), bounded=True))
    assert bounded.verdict.behind == "up to 3.2 s"


def test_a_daemon_that_was_killed() -> None:
    """Not healthy, with how far the replica is behind, and the command that starts it."""
    made = page.of_task(known(shard(state="unowned", lag_seconds=70.0, note="owner w-1 does not renew"), alive=False))
    assert (made.verdict.level, made.verdict.word) == ("bad", "Not healthy")
    assert made.verdict.sentence.startswith("No daemon of the task runs, and ")
    assert made.verdict.sentence.endswith("The replica is 1 min 10 s behind.")
    commands = {each.id: each.command for each in made.wrong}
    assert commands.pop("stopped") == "./run.sh conf/orders.properties"
    assert commands == dict.fromkeys(("daemon-silent", "shards-unowned", "shards-late"))
    assert made.shards is not None
    (row,) = made.shards.rows
    assert (row.level, row.state, row.lag, row.note) == ("bad", "unowned", "1 min 10 s", "owner w-1 does not renew")


def test_what_is_lost_is_said_first() -> None:
    """Nothing is left of the 24 hours; the copy that makes up for it is named as the task inherits."""
    made = page.of_task(known(shard(lost=True, lag_seconds=None), common="conf/common.properties"))
    assert made.verdict.sentence.startswith("Changes of shards are past the stream's 24 hours")
    assert (_figures(made)["behind"], _figures(made)["left"]) == ("lost", "none")
    assert made.wrong[0].id == "shards-lost"
    assert made.wrong[0].command == "./run.sh copy conf --task orders --restart --concurrent"


def test_a_change_that_is_held_is_shown_without_its_key() -> None:
    """The page has no item's content, whatever a key has in it; the log has the key."""
    hold = Hold(kind="hold", shard_id="shardId-1", since_ms=1000, seen_ms=1000, sequence_number="12345", reason=HELD)
    made = page.of_task(known(shard(lag_seconds=5.0), holds=[hold], all_holds=[hold]))
    assert "secret" not in msgspec.json.encode(made).decode()
    assert [(each.id, each.command) for each in made.wrong] == [("shard-held", "./run.sh check conf/orders.properties")]
    assert made.wrong[0].title == "shard shardId-1: has waited at a change since 1970-01-01T00:00:01+00:00."
    assert "Item size has exceeded" in made.wrong[0].reason
    destination = _fact(made, "destination")
    assert (destination.level, "it refuses what is written to it, of 1 shard" in destination.value) == ("bad", True)
    assert made.shards is not None
    assert made.shards.rows[0].note == "held at a change"


def test_dead_letters_and_the_command_that_mends_them() -> None:
    """Those that are there ask for somebody; none is as it should be."""
    some = page.of_task(known(dead_letters=LettersFound(place="s3://b/p", count=3)))
    assert (_fact(some, "letters").value, _fact(some, "letters").command) == (
        "3 in s3://b/p",
        "./run.sh redrive conf/orders.properties",
    )
    none = page.of_task(known(dead_letters=LettersFound(place="s3://b/p", count=0)))
    assert (_fact(none, "letters").level, _fact(none, "letters").command) == ("ok", None)


def test_a_copy_that_is_under_way_says_how_far_it_is() -> None:
    """With a bar, and what goes on with it if nobody does."""
    fact = _fact(page.of_task(known(copy=_COPY)), "copy")
    assert (fact.share, fact.command) == (0.3, "./run.sh copy conf/orders.properties --concurrent")
    done = _fact(page.of_task(known(copy=msgspec.structs.replace(_COPY, state="done"))), "copy")
    assert (done.share, done.value) == (None, "done, 250 items and 50 left out")


def test_a_replica_that_is_being_made_is_not_called_in_sync() -> None:
    """All is well, and the page says what is done; a copy that goes on by itself has no command."""
    care = CareRow(phase="copying", phase_since_ms=1, beat_ms=1)
    made = page.of_task(known(copy=_COPY, care=care))
    assert (made.verdict.level, made.verdict.word) == ("making", "Copying")
    assert made.verdict.sentence == (
        "The replica is being made: copying, 30 % (since 1970-01-01T00:00:00Z). What is written meanwhile is applied."
    )
    fact = _fact(made, "replica")
    assert (fact.value, fact.level, fact.share) == ("copying, 30 % (since 1970-01-01T00:00:00Z)", "making", 0.3)
    assert (_fact(made, "copy").command, _fact(made, "copy").level) == (None, "making")
    listed = page.of_many([known(copy=_COPY, care=care), known(name="other")])
    assert (listed.verdict.level, listed.verdict.sentence) == (
        "making",
        "Of 1 of 2 tasks the replica is being made.",
    )
    refused = Trouble(kind="refused", command="copy", reason="the table is gone", at_ms=1)
    made = page.of_task(known(care=msgspec.structs.replace(care, trouble=refused)))
    assert (made.verdict.level, made.wrong[0].id) == ("bad", "replica-refused")
    assert made.verdict.sentence.startswith("A replica that looks after itself can't be made, for a reason that")
    assert "The replica is being made: copying" in made.verdict.sentence


def test_a_replica_that_is_in_sync_says_when_it_was_verified() -> None:
    """Where no verification goes on, too."""
    made = page.of_task(known(care=CareRow(phase="in sync", phase_since_ms=1, beat_ms=1)))
    assert (made.verdict.word, made.verdict.sentence) == (
        "In sync",
        "Every change is applied. Verified at 1970-01-01T00:00:00Z.",
    )
    assert _fact(made, "replica").level == "ok"


def test_what_could_not_be_read_is_not_known() -> None:
    """Neither well nor ill; the part is named."""
    made = page.of_task(known(unread=[Unread(what="destination", reason="no connection")], destination=None))
    assert (made.verdict.level, made.verdict.word) == ("unknown", "Not known")
    assert made.wrong[0].id == "not-read"
    assert "could not be asked" in _fact(made, "destination").value


def test_what_no_page_counts_is_not_shown_as_counted() -> None:
    """A shard that is far behind has more than a page; one that could not be read is unknown."""
    far = known(lags={"shardId-1": lag(30.0, 1000, more=True)})
    assert _figures(page.of_task(far))["pending"] == "1,000+"
    unread = known(lags={"shardId-1": msgspec.structs.replace(lag(30.0, 0), pending=None)})
    assert _figures(page.of_task(unread))["pending"] == "?"


def test_shards_the_worst_first_and_no_more_than_a_person_reads() -> None:
    """Finished ones are only counted."""
    shards = [shard(f"s-{number:03}", lag_seconds=float(number)) for number in range(120)]
    made = page.of_task(known(*shards, shard("ended", state="finished"), shard("free", state="unowned", owner=None)))
    assert made.shards is not None
    assert [row.id for row in made.shards.rows[:3]] == ["free", "s-119", "s-118"]
    assert (len(made.shards.rows), made.shards.more) == (100, "and 21 more; status --json has all of them")
    assert made.shards.summary == "1 without an owner, 120 being read, 1 finished"


def _unusable(name: str) -> Known:
    task = NamedTask(file=TaskFile(path=f"conf/{name}.properties"), error="sourceTable is missing.", places={})
    found = TaskStatus(task=task, exit_status=UsageError.exit_status, message=task.error)
    return Known(topic=name, found=found, at_ms=1_000)


def test_many_tasks_the_worst_first() -> None:
    """A sentence for all, and a line for each, also for one whose file can't be used."""
    stopped = known(shard(state="unowned"), name="b", alive=False)
    made = page.of_many([known(name="a"), stopped, _unusable("c")])
    assert [(line.name, line.verdict.level) for line in made.tasks] == [("c", "bad"), ("b", "bad"), ("a", "ok")]
    assert (made.verdict.word, made.verdict.sentence) == ("Not healthy", "2 of 3 tasks need somebody.")
    well = page.of_many([known(name="a"), known(name="b")])
    assert (well.verdict.word, well.verdict.sentence) == ("All healthy", "2 tasks.")
    assert page.of_task(_unusable("c")).verdict.sentence == "sourceTable is missing."


def test_before_the_first_look() -> None:
    """Nothing is claimed."""
    task = NamedTask(file=TaskFile(path="a.properties"), settings=None, places={})
    made = page.of_task(Known(topic="a", found=TaskStatus(task=task, exit_status=None)))
    assert (made.verdict.level, made.verdict.word, made.at_ms) == ("unknown", "Looking", None)


_DAY_MS = 86_400_000
_LAST = Verified(through_ms=0, ended_ms=1, equal=1234, missing=0, extra=0, different=0)
_VERIFIED = Verification(every_seconds=86_400, looked_ms=_DAY_MS, last=_LAST, differing=0)


def test_a_task_that_is_verified() -> None:
    """The sentence says through when, and a line what else is known; the next pass has a bar."""
    made = page.of_task(known(verification=_VERIFIED))
    through = "through 1970-01-01T00:00:00+00:00: 1,234 equal, 0 different"
    assert made.verdict.sentence == f"Every change is applied. Verified {through}."
    fact = _fact(made, "verification")
    assert (fact.name, fact.value, fact.level, fact.share) == ("Verified", through, "ok", None)
    running = VerificationProgress(
        host="h/1", started_ms=1, saved_ms=1, parts=8, parts_settled=2, items=0, expected_items=0
    )
    unfinished = msgspec.structs.replace(_VERIFIED, last=None, differing=None, running=running)
    made = page.of_task(known(verification=unfinished))
    assert made.verdict.sentence == "Every change is applied."
    fact = _fact(made, "verification")
    assert (fact.level, fact.share, fact.value.startswith("not yet; a pass begun at")) == ("unknown", 0.25, True)


@pytest.mark.parametrize(
    ("changed", "found", "words", "command"),
    [
        (
            {"last": msgspec.structs.replace(_LAST, extra=2), "differing": 2},
            "verification-differs",
            "Keys differ by the last verification.",
            "./run.sh verify conf/orders.properties",
        ),
        (
            {"failure": Failure(at_ms=0, reason="Scan is denied.")},
            "verification-failed",
            "The verification can't go on.",
            "./run.sh check conf/orders.properties",
        ),
        (
            {"looked_ms": 4 * _DAY_MS},
            "verification-late",
            "There was no whole verification for several periods of verifyEvery.",
            None,
        ),
    ],
)
def test_a_verification_that_asks_for_somebody(
    changed: dict[str, Any], found: str, words: str, command: str | None
) -> None:
    """What it has found, why it can't go on, or that there is none; with what to do."""
    made = page.of_task(known(verification=msgspec.structs.replace(_VERIFIED, **changed)))
    assert (made.verdict.level, made.verdict.sentence.startswith(words)) == ("bad", True)
    assert [(each.id, each.command) for each in made.wrong] == [(found, command)]
    assert _fact(made, "verification").level == "bad"
