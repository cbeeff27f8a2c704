"""What the preflight has to say, one thing at a time."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. An error stops the start; a warning does not."""

    severity: Literal["error", "warning"]
    object: str
    value: str
    consequence: str
    remedy: str

    @property
    def text(self) -> str:
        """For people, in two lines."""
        return f"{self.severity:8}{self.object}: {self.value}.\n        {self.consequence}. {self.remedy}."


def error(what: str, value: str, consequence: str, remedy: str) -> Finding:
    """Something that forbids the start."""
    return Finding(severity="error", object=what, value=value, consequence=consequence, remedy=remedy)


def warning(what: str, value: str, consequence: str, remedy: str) -> Finding:
    """Something to know, and start all the same."""
    return Finding(severity="warning", object=what, value=value, consequence=consequence, remedy=remedy)
