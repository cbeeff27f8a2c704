"""Hands what is known to all tabs that are open: made once for all of them, however many they are.

A tab is one request that is never answered to its end: lines of text/event-stream (the HTML standard's server-sent
events). It gets the newest page, and no other: a tab that reads slowly misses pages, and holds nothing up.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import msgspec

from processor.commands.console import page
from processor.commands.console.known import Known
from processor.commands.console.page import ListPage, TaskPage
from processor.reporting.printable import escaped
from processor.reporting.secrets import hidden

# So often a tab hears something, so that both sides notice a connection that is dead.
BEAT_SECONDS = 5.0


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """What is said beside the page: the time here, so that a tab whose clock is wrong knows a page's age."""

    now_ms: int
    at_ms: int | None
    stale_seconds: float


class Hub:
    """What is known of all tasks, and who reads it. Everything here is for the event loop's thread but ``tabs``.

    :param known: of each task, by its topic: its name in the page's address
    :param stale_seconds: older than that, what is shown counts as stale
    """

    def __init__(self, known: Mapping[str, Known], *, stale_seconds: float) -> None:
        self._known = dict(known)
        self._stale_seconds = stale_seconds
        self._version = 0
        self._changed = asyncio.Event()
        self._made: dict[str, tuple[int, int | None, bytes]] = {}
        self._closed = False
        self._lock = threading.Lock()
        self._tabs = 0
        self.opened = threading.Event()

    @property
    def tabs(self) -> int:
        """How many are open; for any thread."""
        with self._lock:
            return self._tabs

    def has(self, topic: str) -> bool:
        """Whether there is such a page: the empty topic is the list, or the only task."""
        return not topic or topic in self._known

    def publish(self, known: Known) -> None:
        """Show what a look has found, unless the task is none any more, or another: a look takes its time."""
        before = self._known.get(known.topic)
        if before is not None and before.found.task == known.found.task:
            self._known[known.topic] = known
            self._wake()

    def replace(self, known: Mapping[str, Known]) -> None:
        """Show these tasks from now on; what is known of one that stays is kept."""
        self._known = {topic: self._kept(each) for topic, each in known.items()}
        self._made = {topic: made for topic, made in self._made.items() if not topic or topic in self._known}
        self._wake()

    def _kept(self, known: Known) -> Known:
        before = self._known.get(known.topic)
        return known if before is None or before.found.task != known.found.task else before

    def close(self) -> None:
        """End what all tabs read, when they have the last page."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    @contextlib.contextmanager
    def tab(self) -> Iterator[None]:
        """One more tab is open meanwhile."""
        with self._lock:
            self._tabs += 1
        self.opened.set()
        try:
            yield
        finally:
            with self._lock:
                self._tabs -= 1

    async def events(self, topic: str) -> AsyncIterator[bytes]:
        """What one tab reads: a page when it is another than before, else only that it was looked at.

        What is told at once is one write: a page does not come without its age.
        """
        sent: bytes | None = None
        while True:
            version, changed, closed = self._version, self._changed, self._closed
            at_ms, content = self._page(topic)
            beat = msgspec.json.encode(
                Beat(now_ms=int(time.time() * 1000), at_ms=at_ms, stale_seconds=self._stale_seconds)
            )
            told = [] if content == sent else [_event("page", content)]
            told.append(_event("beat", beat))
            if closed:
                told.append(_event("ended", b"{}"))
            yield b"".join(told)
            if closed:
                return
            sent = content
            if version == self._version:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(changed.wait(), BEAT_SECONDS)

    def _page(self, topic: str) -> tuple[int | None, bytes]:
        """When the topic was looked at last, and its page, encoded once for all tabs that read it."""
        made = self._made.get(topic)
        if made is None or made[0] != self._version:
            found = self._find(topic)
            # Without the time, so that a page is the same as long as nothing else is.
            content = _encoded(msgspec.structs.replace(found, at_ms=None))
            made = self._made[topic] = (self._version, found.at_ms, content)
        return made[1], made[2]

    def _find(self, topic: str) -> TaskPage | ListPage:
        known: Sequence[Known] = list(self._known.values())
        if topic:
            return page.of_task(self._known[topic]) if topic in self._known else page.of_none(topic)
        return page.of_task(known[0]) if len(known) == 1 else page.of_many(known)


def _event(name: str, content: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), content)


def _encoded(found: TaskPage | ListPage) -> bytes:
    r"""On one line, without secrets. What isn't printable is ``\uXXXX``, twice escaped, so that a reader sees it."""
    return msgspec.json.encode(_printable(msgspec.to_builtins(found)))


def _printable(value: object) -> object:
    if isinstance(value, str):
        return escaped(hidden(value))
    if isinstance(value, dict):
        return {name: _printable(each) for name, each in value.items()}
    return [_printable(each) for each in value] if isinstance(value, list) else value
