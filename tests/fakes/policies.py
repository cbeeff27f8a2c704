"""Retry policies for tests: without pauses, or with limits that are over at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from processor.flow import retry_policy
from processor.flow.retry_policy import RetryPolicy

if TYPE_CHECKING:
    import pytest

# Of a record's way, or of a command's, without its pauses.
AT_ONCE = msgspec.structs.replace(retry_policy.RECORDS, longest_pause_seconds=0.0)
COMMAND_AT_ONCE = msgspec.structs.replace(retry_policy.COMMAND, longest_pause_seconds=0.0)


def limit_commands(monkeypatch: pytest.MonkeyPatch, *, outage_seconds: float, denied_seconds: float = 900.0) -> None:
    """Commands wait for no longer than this."""
    for name in ("COMMAND", "COPY"):
        changed: RetryPolicy = msgspec.structs.replace(
            getattr(retry_policy, name), outage_seconds=outage_seconds, denied_seconds=denied_seconds
        )
        monkeypatch.setattr(retry_policy, name, changed)
