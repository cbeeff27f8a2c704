"""A transform that takes long is said."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from processor.view.transform_watch import TransformWatch

if TYPE_CHECKING:
    import pytest


def test_a_call_that_takes_long_is_said_ever_more_rarely(caplog: pytest.LogCaptureFixture) -> None:
    """After 5 s, then after as long again, doubling; nothing of one that has returned."""
    now = [0.0]
    watch = TransformWatch("guest.py", clock=lambda: now[0], look_seconds=3600)
    said = []
    with caplog.at_level(logging.WARNING):
        watch.begin()
        for now[0] in range(1, 40):
            before = len(caplog.records)
            watch.look()
            if len(caplog.records) > before:
                said.append(now[0])
        watch.end()
        now[0] = 1000.0
        watch.look()
        watch.begin()
        watch.look()
        watch.end()
    assert said == [5, 15, 35]
    assert {record.msg for record in caplog.records} == {"transform_slow"}
    assert len(caplog.records) == 3
