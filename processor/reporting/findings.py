"""The findings of the preflight: each is one thing that is wrong. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from processor.errors import NotLookedAtError, NotReadyError

# The cause of a finding: something is wrong on this machine (settings, files, Java); AWS answered that something is not
# as it must be; AWS is still working on it; or it could not be examined, as in an outage.
Cause = Literal["setup", "answer", "pending", "outage"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. An error stops the start; a warning does not.

    ``id`` is one of ``finding_ids.IDS``: scripts know the finding by it, whatever its words. ``figure`` is shown below
    the value as it is, line by line, where there is one.
    """

    id: str
    severity: Literal["error", "warning"]
    object: str
    value: str
    consequence: str
    remedy: str
    cause: Cause = "answer"
    figure: str | msgspec.UnsetType = msgspec.UNSET

    @property
    def text(self) -> str:
        """For people, as one line."""
        return f"{self.severity:8}{self.sentences}"

    @property
    def sentences(self) -> str:
        """What is wrong, what follows, and what to do, within a text of which the severity is clear."""
        return f"{self.object}: {self.value}. {self.consequence}. {self.remedy}."

    @property
    def lines(self) -> tuple[str, ...]:
        """For people, in two lines and those of the figure between them, for ``output.say``."""
        figure = self.figure.split("\n") if self.figure else []
        return (
            f"{self.severity:8}{self.object}: {self.value}.",
            *(f"            {line}" for line in figure),
            f"        {self.consequence}. {self.remedy}.",
        )

    @property
    def passes(self) -> bool:
        """Whether it may pass by itself; everything else must be put right by a person."""
        return self.cause in ("pending", "outage")


def error(name: str, what: str, value: str, consequence: str, remedy: str, *, cause: Cause = "answer") -> Finding:
    """A finding that prevents the start.

    :param name: its id
    """
    return Finding(
        id=name, severity="error", object=what, value=value, consequence=consequence, remedy=remedy, cause=cause
    )


def warning(name: str, what: str, value: str, consequence: str, remedy: str) -> Finding:
    """A finding that does not prevent the start.

    :param name: its id
    """
    return Finding(id=name, severity="warning", object=what, value=value, consequence=consequence, remedy=remedy)


def failure_of(errors: Sequence[Finding]) -> type[NotReadyError | NotLookedAtError]:
    """The exception with which a command ends because of these: exit status 22, or 5 if all of them are outages."""
    return NotLookedAtError if all(finding.cause == "outage" for finding in errors) else NotReadyError
