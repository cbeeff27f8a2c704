"""What ``--json`` prints where a command can't give its report: why, and what must be put right. Pure."""

from __future__ import annotations

import msgspec

from processor.reporting.findings import Finding


class FailureReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One for all commands, docs/schemas/failure.schema.json.

    :param ready: always False
    :param exit_status: 22 a person must put something right first; 5 start it again; 130 or 143 by a signal
    :param error: the message for people
    :param findings: what is wrong, where that is known by its ids
    """

    ready: bool = False
    exit_status: int
    error: str
    findings: list[Finding] = []
