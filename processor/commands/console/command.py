"""``run.sh console``: serves the page until Ctrl-C, and looks at the tasks and their files meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import webbrowser
from collections.abc import Callable, Sequence
from typing import TypeVar

from processor.commands.console import server
from processor.commands.console.hub import Hub
from processor.commands.console.known import Known
from processor.commands.console.options import ConsoleOptions
from processor.commands.console.server import Server
from processor.commands.console.tasks import Tasks
from processor.commands.console.watch import TaskWatch, Watch, stale_seconds
from processor.errors import UsageError
from processor.replication.dead_letters import census
from processor.reporting import output
from processor.settings.named_task import NamedTask
from processor.settings.task_watch import TaskWatch as Files
from processor.system import open_files

T = TypeVar("T")


def run(named: Sequence[NamedTask], options: ConsoleOptions, *, files: Files | None = None) -> int:
    """Serve a page of these tasks, each direction of a two-way one by itself, until a signal comes, its usual end.

    :param files: by which the tasks are followed, where they come, change and go
    :returns: 0
    :raises UsageError: the address can't be listened on
    """
    open_files.allow_many()  # each task's clients keep their connections, and each tab has one
    try:
        listener = server.listening(options.address, options.port)
    except (OSError, OverflowError) as exc:
        message = (
            f"{options.address} port {options.port}: can't be listened on ({getattr(exc, 'strerror', None) or exc}). "
            "Nothing was started. Give another --port, 0 for any that is free, or end what listens there."
        )
        raise UsageError(message) from exc
    tasks = Tasks(named, files=files, make=lambda topic, task: _watch(topic, task, options))
    hub = Hub(tasks.known, stale_seconds=stale_seconds(options.interval_seconds))
    running: list[asyncio.AbstractEventLoop] = []

    def follow() -> Sequence[TaskWatch] | None:
        found = tasks.follow()
        if found is not None:
            _call(running[0], hub.replace, tasks.known)
        return found

    watch = Watch(
        tasks.watches,
        interval_seconds=options.interval_seconds,
        tabs=lambda: hub.tabs,
        opened=hub.opened,
        follow=follow,
    )
    place = _address(options.address, listener.getsockname()[1])

    def publish(known: Known) -> None:
        _call(running[0], hub.publish, known)

    def begun(loop: asyncio.AbstractEventLoop) -> None:
        running.append(loop)
        watch.start(publish)
        count = len(tasks.watches)
        output.line(
            f"The console of {'1 task' if count == 1 else f'{count} tasks'} is at {place} (Ctrl-C ends it)", flush=True
        )
        if options.opens:
            webbrowser.open(place)

    application = server.application(hub, address=options.address, names=options.names)
    serving = Server(
        application,
        hub,
        begun=begun,
        # Whoever ends it by SIGTERM, as the demo does, may have changed something just before.
        ending=lambda number: watch.stop(publish, looks_again=number == signal.SIGTERM),
    )
    with contextlib.suppress(KeyboardInterrupt):
        serving.run(sockets=[listener])
    return 0


def _watch(topic: str, task: NamedTask, options: ConsoleOptions) -> TaskWatch:
    return TaskWatch(
        topic,
        task,
        letters=census.count,
        interval_seconds=options.interval_seconds,
        max_lag_seconds=options.max_lag_seconds,
    )


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[T], None], given: T) -> None:
    """Have the loop's own thread do it."""
    with contextlib.suppress(RuntimeError):  # the loop is closed: a look that took longer than the rest of it
        loop.call_soon_threadsafe(function, given)


def _address(address: str, port: int) -> str:
    """As a browser on this machine takes it."""
    if address in {"0.0.0.0", "::"}:  # noqa: S104  # what was given
        address = "127.0.0.1"
    return f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"
