"""How often a task is looked at: closely when it matters, and else as seldom as its bill wants it. Pure.

A look reads each unfinished shard of the stream once or twice, which is what a look costs (docs/notify.md): every 10 s
it would be 50 dollars a month for 500 shards, once a minute 9.
"""

from __future__ import annotations

from processor.caretaker.duty import Standing

CLOSE_SECONDS = 10.0
CALM_SECONDS = 60.0
# What goes wrong does so soon after a start, as a rule; and whoever has just set something up waits for a word.
BEGINNING_SECONDS = 300.0


def look_seconds(standing: Standing, *, held_seconds: float, is_working: bool) -> float:
    """The time from a look to the next.

    :param standing: by the last look
    :param held_seconds: for how long this caretaker has looked after the task
    :param is_working: whether a command runs for the task
    """
    is_made = standing.care.phase in {None, "in sync"}
    is_calm = is_made and not is_working and standing.report.exit_status == 0
    return CALM_SECONDS if is_calm and held_seconds >= BEGINNING_SECONDS else CLOSE_SECONDS
