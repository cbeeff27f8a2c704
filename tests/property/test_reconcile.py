"""Any interleaving of the source's writes, a replication and several reconciliations ends with the source's item."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import UnavailableError
from processor.replication.change import Change, bytes_of
from processor.replication.reconcile import reconcile
from tests.fakes.patience import PATIENCE_SECONDS

KEY = msgspec.Raw(b'{"id":{"S":"k"}}')
T = TypeVar("T")

# What happens next. refused: the source writes what the destination won't take; its letter is left to the reconcilers.
# A number: that reconciler makes its next call; with a word, the call fails, undone or done.
EVENTS = st.sampled_from(
    ["put", "delete", "refused", "daemon", "daemon", "0", "0", "0", "1", "1", "0 undone", "0 done", "1 done"]
)


class World:
    """One key of two tables, and the stream between them."""

    def __init__(self) -> None:
        self.source: msgspec.Raw | None = None
        self.destination: bytes | None = None
        self.stream: list[tuple[bytes | None, bool]] = []
        self.applied = 0
        self.letters = 0

    def write(self, *, delete: bool = False, refused: bool = False) -> None:
        """The source's item changes, to what it never was."""
        image = None if delete else msgspec.Raw(b'{"id":{"S":"k"},"v":{"N":"%d"}}' % len(self.stream))
        self.source = image
        self.stream.append((None if image is None else bytes(image), refused))

    def replicate(self) -> None:
        """The daemon applies the next record, or sets it aside."""
        if self.applied < len(self.stream):
            image, refused = self.stream[self.applied]
            self.applied += 1
            if refused:
                self.letters += 1
            else:
                self.destination = image


class Reconciler:
    """Reconciles the key in a thread of its own, one call to a table at each ``step``, until it was done once."""

    def __init__(self, world: World) -> None:
        self.name = "source"
        self.letters = world.letters  # those that were there before it began
        self.done = False
        self._world = world
        self._go = threading.Semaphore(0)
        self._waits = threading.Semaphore(0)
        self._fault = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._waits.acquire(timeout=PATIENCE_SECONDS)

    def step(self, fault: str = "") -> None:
        """Let it make its next call."""
        if not self.done:
            self._fault = fault
            self._go.release()
            assert self._waits.acquire(timeout=PATIENCE_SECONDS)

    def finish(self) -> None:
        """Let it make all of them."""
        while not self.done:
            self.step()
        self._thread.join(timeout=PATIENCE_SECONDS)

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """Read the source."""
        assert key == KEY
        return self._call(lambda: self._world.source)

    def write_one(self, change: Change) -> None:
        """Write the destination."""
        image = bytes_of(change) if change.kind == "put" else None
        self._call(lambda: setattr(self._world, "destination", image))

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:
        """Nobody asks for this."""
        raise NotImplementedError(change, there)

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """Nobody asks for this."""
        raise NotImplementedError(changes)

    def renew_credentials(self) -> None:
        """Nobody asks for this."""
        raise NotImplementedError

    def _call(self, call: Callable[[], T]) -> T:
        self._waits.release()
        assert self._go.acquire(timeout=PATIENCE_SECONDS)
        if self._fault == "undone":
            raise UnavailableError("fake: no answer", code="ReadTimeoutError")
        result = call()
        if self._fault == "done":
            raise UnavailableError("fake: no answer", code="ReadTimeoutError")
        return result

    def _run(self) -> None:
        destination = _Destination(self)
        while not self.done:
            try:
                reconcile(KEY, "1", source=self, table=self, destination=destination)
            except UnavailableError:
                continue
            self.done = True
        self._waits.release()


class _Destination:
    """The destination, for reading."""

    name = "destination"

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """Read it."""
        assert key == KEY
        image = self._reconciler._call(lambda: self._reconciler._world.destination)
        return None if image is None else msgspec.Raw(image)


@given(before=st.lists(EVENTS, max_size=8), events=st.lists(EVENTS, max_size=40), daemon_first=st.booleans())
def test_the_source_wins(before: list[str], events: list[str], *, daemon_first: bool) -> None:
    """With all done, the destination is the source, unless a letter came too late to be reconciled, which is there."""
    world = World()
    reconcilers: list[Reconciler] = []

    def happen(event: str) -> None:
        number, _, fault = event.partition(" ")
        if event == "daemon":
            world.replicate()
        elif number.isdigit():
            if reconcilers:
                reconcilers[int(number)].step(fault)
        else:
            world.write(delete=event == "delete", refused=event == "refused")

    for event in before:
        happen(event)
    reconcilers += [Reconciler(world), Reconciler(world)]
    for event in events:
        happen(event)
    drain = [lambda: [world.replicate() for _ in world.stream], lambda: [each.finish() for each in reconcilers]]
    for step in drain if daemon_first else reversed(drain):
        step()
    if world.letters > reconcilers[0].letters:
        late = Reconciler(world)
        late.finish()
    assert (None if world.source is None else bytes(world.source)) == world.destination
