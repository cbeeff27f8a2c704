"""What the preflight has to say, one thing at a time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from processor.errors import NotLookedAtError, NotReadyError

# Why something stands in the way: it is wrong in what lies here (settings, files, Java); AWS answered that it is not as
# it must be; AWS is still at work on it; or it could not be looked at, as in an outage.
Cause = Literal["setup", "answer", "pending", "outage"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. An error stops the start; a warning does not.

    ``id`` is one of ``finding_ids.IDS``, and says to scripts which thing it is, whatever the words.
    """

    id: str
    severity: Literal["error", "warning"]
    object: str
    value: str
    consequence: str
    remedy: str
    cause: Cause = "answer"

    @property
    def text(self) -> str:
        """For people, as one line."""
        first, second = self.lines
        return f"{first} {second.lstrip()}"

    @property
    def lines(self) -> tuple[str, str]:
        """For people, in two lines, as ``output.say`` takes them."""
        return f"{self.severity:8}{self.object}: {self.value}.", f"        {self.consequence}. {self.remedy}."

    @property
    def passes(self) -> bool:
        """Whether it may pass without anybody's doing; everything else must be put right by a person."""
        return self.cause in ("pending", "outage")


def error(name: str, what: str, value: str, consequence: str, remedy: str, *, cause: Cause = "answer") -> Finding:
    """Something that forbids the start.

    :param name: its id
    """
    return Finding(
        id=name, severity="error", object=what, value=value, consequence=consequence, remedy=remedy, cause=cause
    )


def warning(name: str, what: str, value: str, consequence: str, remedy: str) -> Finding:
    """Something to know, and start all the same.

    :param name: its id
    """
    return Finding(id=name, severity="warning", object=what, value=value, consequence=consequence, remedy=remedy)


def failure_of(errors: Sequence[Finding]) -> type[NotReadyError | NotLookedAtError]:
    """How a command ends that can't go on for these: 22, or 5 where all of them are an outage."""
    return NotLookedAtError if all(finding.cause == "outage" for finding in errors) else NotReadyError
