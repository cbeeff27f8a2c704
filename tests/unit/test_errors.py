"""What an error holds while an outage is waited for."""

from __future__ import annotations

import gc
import weakref

import pytest

from processor.errors import UnavailableError, let_go


class _Answer:
    """Something large."""


def _parse(held: list[weakref.ref[_Answer]]) -> None:
    answer = _Answer()
    held.append(weakref.ref(answer))
    int("none")


def _failing(held: list[weakref.ref[_Answer]]) -> None:
    try:
        _parse(held)
    except ValueError as exc:
        raise UnavailableError("none", code="none") from exc


def test_frames_are_let_go() -> None:
    """What the frames of an error and of its causes held is gone, and so is the trace; the error is not."""
    held: list[weakref.ref[_Answer]] = []
    with pytest.raises(UnavailableError) as caught:
        _failing(held)
    error = caught.value
    del caught
    assert held[0]() is not None
    let_go(error)
    gc.collect()
    assert held[0]() is None
    assert error.__traceback__ is None
    assert isinstance(error.__cause__, ValueError)


def test_an_error_that_is_its_own_cause() -> None:
    """As one that is kept, and raised once more while another is handled."""
    first, second = ValueError(), KeyError()
    first.__cause__, second.__context__ = second, first
    let_go(first)
