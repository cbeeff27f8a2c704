"""What became of one step."""

from __future__ import annotations

import msgspec

PASSED, FAILED, SKIPPED, NOT_RUN = "passed", "failed", "skipped", "not run"


class Outcome(msgspec.Struct, kw_only=True):
    """One step of a run.

    :param proves: the rule that it looks at
    :param said: what was found, or why it failed or was skipped
    """

    name: str
    proves: str
    word: str = NOT_RUN
    seconds: float = 0.0
    said: str = ""


class SkippedError(Exception):
    """A step can't be done here; the message says why."""
