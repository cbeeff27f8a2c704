"""Which changes of health are told, when, and what a state that comes and goes costs in messages."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from processor.caretaker.notify import told
from processor.caretaker.notify.change import (
    CALM_SECONDS,
    FIRST_PAUSE_SECONDS,
    FLAPS,
    LONGEST_PAUSE_SECONDS,
    SETTLED_SECONDS,
    UNKNOWN_SECONDS,
    Change,
    Changes,
)
from processor.caretaker.notify.health import Standing, standing_of
from processor.caretaker.notify.told import Told
from tests.unit.commands.console.looks import known, shard

WELL = Standing(health="inSync")
BEHIND = Standing(health="behind", findings=("shards-late",))
HELD = Standing(health="held", findings=("shard-held",), held=1)
LOST = Standing(health="loss", findings=("shards-lost",))
SILENT = Standing(health="notHealthy", findings=("daemon-silent",))
UNSEEN = Standing(health="unknown", findings=("not-read",), is_whole=False)
LOOK_SECONDS = 10.0


class Story:
    """Looks, one after the other, and the messages that come of them."""

    def __init__(self, last: Told | None = None, *, at: float = 1_800_000_000.0, to: str = "here") -> None:
        self.now = at
        self.changes = Changes(last, to=to)
        self.sent: list[tuple[float, Change]] = []

    def look(self, standing: Standing, *, seconds: float = LOOK_SECONDS) -> list[str]:
        """The events that are told while it is so for such a time."""
        before = len(self.sent)
        end = self.now + seconds
        while self.now < end:
            self.changes.see(standing, now=self.now)
            change = self.changes.due(now=self.now)
            if change is not None:
                self.changes.say(change)
                self.sent.append((self.now, change))
            self.now += LOOK_SECONDS
        return [change.event for _, change in self.sent[before:]]

    @property
    def last(self) -> Change:
        """The newest message."""
        return self.sent[-1][1]

    def well(self) -> Story:
        """It has long been told that all is well."""
        assert self.look(WELL, seconds=2 * CALM_SECONDS) == ["inSync"]
        return self


def test_the_first_message_says_how_it_stands() -> None:
    """Once that has settled; so whoever sets notifyUri sees that it works."""
    story = Story()
    assert story.look(WELL, seconds=SETTLED_SECONDS) == []
    assert story.look(WELL, seconds=4 * CALM_SECONDS) == ["inSync"]
    assert (story.last.before, story.last.told.number) == (None, 1)


@pytest.mark.parametrize("standing", [BEHIND, SILENT], ids=lambda each: each.health)
def test_what_passes_within_a_minute_is_not_told(standing: Standing) -> None:
    """A daemon that dies and is taken over, a moment of lag."""
    story = Story().well()
    assert story.look(standing, seconds=SETTLED_SECONDS - LOOK_SECONDS) == []
    assert story.look(WELL, seconds=CALM_SECONDS) == []


@pytest.mark.parametrize("standing", [HELD, LOST], ids=lambda each: each.health)
def test_what_needs_a_person_is_told_by_the_first_look(standing: Standing) -> None:
    """And its end when that has settled."""
    story = Story().well()
    assert story.look(standing) == [standing.health]
    assert story.last.before == "inSync"
    assert story.look(WELL, seconds=SETTLED_SECONDS) == []
    assert story.look(WELL, seconds=CALM_SECONDS) == ["recovered"]
    assert story.last.before == standing.health


def test_a_state_that_lasts_is_told_once() -> None:
    """Nobody is told again that it is still so."""
    story = Story().well()
    assert story.look(BEHIND, seconds=48 * CALM_SECONDS) == ["behind"]
    assert story.look(WELL, seconds=48 * CALM_SECONDS) == ["recovered"]


def test_what_gets_worse_and_what_gets_better_is_told_by_its_name() -> None:
    """Recovered is only where nothing is wrong any more."""
    story = Story().well()
    assert story.look(BEHIND, seconds=CALM_SECONDS) == ["behind"]
    assert story.look(HELD, seconds=CALM_SECONDS) == ["held"]
    assert story.look(LOST, seconds=CALM_SECONDS) == ["loss"]
    assert story.look(BEHIND, seconds=CALM_SECONDS) == ["behind"]
    assert story.last.before == "loss"
    assert story.look(WELL, seconds=CALM_SECONDS) == ["recovered"]


def test_more_of_the_same_is_told() -> None:
    """A second shard that waits, or another thing that is wrong; fewer are not."""
    story = Story().well()
    two = Standing(health="held", findings=("shard-held",), held=2)
    assert story.look(HELD, seconds=CALM_SECONDS) == ["held"]
    assert story.look(two, seconds=CALM_SECONDS) == ["held"]
    assert story.look(HELD, seconds=CALM_SECONDS) == []
    more = Standing(health="notHealthy", findings=("daemon-silent", "stream-off"))
    assert story.look(SILENT, seconds=CALM_SECONDS) == ["notHealthy"]
    assert story.look(more, seconds=SETTLED_SECONDS) == []
    assert story.look(more, seconds=CALM_SECONDS) == ["notHealthy"]


def test_what_passes_beside_a_held_shard_is_not_told() -> None:
    """A daemon that is started again is no news for whoever knows of the shard."""
    story = Story().well()
    started = Standing(health="held", findings=("shard-held", "shards-unowned"), held=1)
    assert story.look(HELD, seconds=CALM_SECONDS) == ["held"]
    assert story.look(started, seconds=SETTLED_SECONDS) == []
    assert story.look(HELD, seconds=CALM_SECONDS) == []
    assert story.look(started, seconds=CALM_SECONDS) == ["held"]
    lost = Standing(health="loss", findings=("shard-held", "shards-lost"), held=1)
    assert story.look(lost) == ["loss"]
    assert story.look(HELD, seconds=SETTLED_SECONDS) == []
    assert story.look(HELD, seconds=CALM_SECONDS) == ["held"]


def test_what_comes_and_goes_is_told_ever_more_rarely() -> None:
    """A day of it is some thirty messages, each of which says how many changes it does not tell."""
    story = Story().well()
    begun = len(story.sent)
    for _ in range(24 * 30):
        story.look(HELD, seconds=60)
        story.look(WELL, seconds=60)
    sent = story.sent[begun:]
    assert 10 < len(sent) < 60
    gaps = [after - before for (before, _), (after, _) in pairwise(sent)]
    assert max(gaps) <= LONGEST_PAUSE_SECONDS + 2 * SETTLED_SECONDS + LOOK_SECONDS
    told_and_not = sum(1 + change.unsaid for _, change in sent)
    assert abs(told_and_not - 2 * 24 * 30) <= LONGEST_PAUSE_SECONDS / 60
    assert story.look(WELL, seconds=3 * LONGEST_PAUSE_SECONDS)[-1:] in ([], ["recovered"])
    assert story.last.told.health == "inSync"


def test_what_never_settles_is_told_in_the_end() -> None:
    """Half a minute of each, again and again, would otherwise never be."""
    story = Story().well()
    events: list[str] = []
    for _ in range(FLAPS):
        events += story.look(BEHIND, seconds=30) + story.look(WELL, seconds=30)
    assert events[:1] == ["behind"]
    assert story.sent[1][1].unsaid >= FLAPS - 1


def test_after_an_hour_of_calm_the_next_message_waits_for_nothing() -> None:
    """However many there were before."""
    story = Story().well()
    for _ in range(20):
        story.look(HELD, seconds=120)
        story.look(WELL, seconds=120)
    story.look(WELL, seconds=3 * CALM_SECONDS)
    assert story.last.told.health == "inSync"
    assert story.last.told.in_a_row > 3
    assert story.look(BEHIND, seconds=SETTLED_SECONDS + LOOK_SECONDS) == ["behind"]
    assert story.last.told.in_a_row == 1


def test_what_is_lost_waits_for_no_pause() -> None:
    """Though something harmless was told a moment ago."""
    story = Story().well()
    for _ in range(10):
        story.look(BEHIND, seconds=120)
        story.look(WELL, seconds=120)
    story.look(WELL, seconds=LONGEST_PAUSE_SECONDS)
    story.look(BEHIND, seconds=120)
    assert story.look(LOST) == ["loss"]


def test_an_outage_of_a_few_minutes_is_not_told() -> None:
    """A look that can't read all says nothing about what it did not see."""
    story = Story().well()
    assert story.look(UNSEEN, seconds=UNKNOWN_SECONDS - LOOK_SECONDS) == []
    assert story.look(WELL, seconds=CALM_SECONDS) == []
    assert story.look(UNSEEN, seconds=UNKNOWN_SECONDS + 2 * LOOK_SECONDS) == ["unknown"]
    assert story.look(WELL, seconds=CALM_SECONDS) == ["recovered"]


def test_what_could_not_be_seen_has_not_recovered() -> None:
    """A held shard stays held for whoever can't read the rows that say so."""
    story = Story().well()
    assert story.look(HELD, seconds=CALM_SECONDS) == ["held"]
    assert story.look(UNSEEN, seconds=CALM_SECONDS) == []
    assert story.look(HELD, seconds=CALM_SECONDS) == []
    assert story.look(WELL, seconds=CALM_SECONDS) == ["recovered"]


def _with_letters(count: int | None, conflicts: int | None = None) -> Standing:
    return Standing(health="inSync", dead_letters=count, conflicts=conflicts)


def test_new_dead_letters_are_told_with_their_number() -> None:
    """Also those that come while others are redriven; that none is left is told, too."""
    story = Story()
    assert story.look(_with_letters(0), seconds=2 * CALM_SECONDS) == ["inSync"]
    assert story.look(_with_letters(3)) == ["deadLetter"]
    assert (story.last.more_letters, story.last.told.dead_letters) == (3, 3)
    assert story.look(_with_letters(None), seconds=CALM_SECONDS) == []
    assert story.look(_with_letters(5), seconds=CALM_SECONDS) == ["deadLetter"]
    assert story.last.more_letters == 2
    assert story.look(_with_letters(1), seconds=CALM_SECONDS) == []
    assert story.look(_with_letters(2), seconds=CALM_SECONDS) == ["deadLetter"]
    assert story.last.more_letters == 1
    assert story.look(_with_letters(0), seconds=CALM_SECONDS) == ["recovered"]


def test_a_steady_rain_of_conflicts_is_a_message_an_hour() -> None:
    """With how many are new since the last one."""
    story = Story().well()
    sent = [story.look(_with_letters(None, number), seconds=60) for number in range(1, 24 * 60)]
    assert {event for events in sent for event in events} == {"conflict"}
    assert sum(map(len, sent)) < 24 + 8
    assert sum(change.more_conflicts for _, change in story.sent) > 23 * 60


def test_a_takeover_tells_nothing_again_and_misses_nothing() -> None:
    """The next caretaker goes on after what was told, whatever happened meanwhile."""
    story = Story().well()
    story.look(HELD, seconds=CALM_SECONDS)
    row = told.read(told.kept(story.last.told))
    assert row == story.last.told
    again = Story(row, at=story.now)
    assert again.look(HELD, seconds=CALM_SECONDS) == []
    assert again.changes.due(now=again.now) is None
    missed = Story(row, at=story.now)
    assert missed.look(WELL, seconds=CALM_SECONDS) == ["recovered"]
    assert (missed.last.told.number, missed.last.before) == (row.number + 1, "held")
    worse = Story(row, at=story.now)
    assert worse.look(LOST) == ["loss"]


def test_a_pause_outlasts_a_takeover() -> None:
    """Daemons that die one after the other don't send a message each."""
    story = Story().well()
    for _ in range(8):
        story.look(HELD, seconds=120)
        story.look(WELL, seconds=120)
    row = story.last.told
    assert row.in_a_row > 3
    next_one = Story(row, at=row.at_ms / 1000 + 1)
    other = WELL if row.health == "held" else BEHIND
    assert next_one.look(other, seconds=FIRST_PAUSE_SECONDS * 3) == []


def test_a_clock_that_was_ahead_silences_nobody() -> None:
    """What the next caretaker finds to have been told tomorrow counts as told now."""
    ahead = Story(at=1_800_086_400.0).well()
    story = Story(ahead.last.told, at=1_800_000_000.0)
    assert story.look(BEHIND, seconds=SETTLED_SECONDS + FIRST_PAUSE_SECONDS + LOOK_SECONDS) == ["behind"]
    assert story.look(WELL, seconds=CALM_SECONDS) == ["recovered"]


def test_a_new_place_is_told_how_it_stands() -> None:
    """By a number that goes on."""
    story = Story().well()
    elsewhere = Story(story.last.told, at=story.now, to="there")
    assert elsewhere.look(WELL, seconds=CALM_SECONDS) == ["inSync"]
    assert (elsewhere.last.told.number, elsewhere.last.told.to) == (2, "there")


@pytest.mark.parametrize("seed", range(20))
def test_what_was_told_last_is_what_is_so_in_the_end(seed: int) -> None:
    """Whatever came before, and whoever took over: messages are few, their numbers rise, and the last one is true."""
    chance = random.Random(seed)
    story = Story().well()
    sent = story.sent
    begun = story.now
    for _ in range(300):
        story.look(
            chance.choice([WELL, WELL, BEHIND, HELD, LOST, SILENT, UNSEEN]), seconds=chance.choice([10, 60, 900])
        )
        if chance.random() < 0.05:
            story = Story(sent[-1][1].told, at=story.now + 20)
            story.sent = sent
    # Of what gets worse each may be followed by something better, and each of these has its pause.
    assert len(sent) <= 2 * (story.now - begun) / LONGEST_PAUSE_SECONDS + 20
    end = chance.choice([WELL, BEHIND, HELD, LOST])
    story.look(end, seconds=3 * LONGEST_PAUSE_SECONDS)
    assert story.last.told.health == end.health
    numbers = [change.told.number for _, change in sent]
    assert numbers == list(range(1, len(numbers) + 1))


def test_health_is_that_of_the_worst_finding() -> None:
    """By the report of status, whatever else it finds."""
    assert standing_of(known().found.report).health == "inSync"  # type: ignore[arg-type]
    late = known(shard(lag_seconds=900.0)).found.report
    assert late is not None
    assert (standing_of(late).health, standing_of(late).findings) == ("behind", ("shards-late",))
    lost = known(shard(lag_seconds=900.0), shard("shardId-2", lost=True)).found.report
    assert lost is not None
    assert standing_of(lost).health == "loss"
    dead = known(shard(state="unowned", owner=None), alive=False).found.report
    assert dead is not None
    assert standing_of(dead).health == "notHealthy"
