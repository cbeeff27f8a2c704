"""What the first signal does, and what the second."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from processor.system.signals import Signals, leave_to_parent, one_after_another


class Interrupted(Exception):  # noqa: N818  # no error
    """What the handler before raises."""


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Others' handlers, which the test leaves as they were."""

    def interrupt(*_: object) -> None:
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_asks_and_the_second_ends(
    number: signal.Signals, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """The first is said and heard of at the next look; the second goes to whoever listened before, at once."""
    signals = Signals("Stopping.")
    assert (signals.stop.is_set(), signals.exit_status) == (False, 0)
    signal.raise_signal(number)
    assert (signals.stop.is_set(), signals.exit_status) == (True, status)
    assert capfd.readouterr().err == "Stopping.\n"
    with pytest.raises(Interrupted):
        signal.raise_signal(number)


def test_each_of_several_has_signals_of_its_own() -> None:
    """What the first left is put back, so that a second signal still ends the second at once; and none is forgotten."""
    with one_after_another() as received:
        Signals("Stopping the first.")
    assert received.number == 0
    with one_after_another() as received:
        second = Signals("Stopping the second.")
        signal.raise_signal(signal.SIGTERM)
        assert second.stop.is_set()
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGTERM)
    assert received.number == signal.SIGTERM
    with pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGINT)
    with one_after_another() as received:
        assert received.number == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_has_a_parent_leaves_them_to_it(number: signal.Signals) -> None:
    """As Ctrl-C and a closed terminal send them to a whole process group."""
    leave_to_parent()
    signal.raise_signal(number)
