"""What several unit tests share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True, slots=True)
class Event:
    """One logged event."""

    level: int
    name: str
    fields: dict[str, Any]


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Callable[[], list[Event]]:
    """All events logged so far."""
    caplog.set_level(logging.INFO, logger="processor")
    return lambda: [Event(record.levelno, record.getMessage(), record.fields) for record in caplog.records]
