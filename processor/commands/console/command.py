"""``run.sh console``: serves the page until Ctrl-C, and looks at the tasks meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import webbrowser
from collections import Counter
from collections.abc import Sequence

from processor.commands.console import server
from processor.commands.console.hub import Hub
from processor.commands.console.options import ConsoleOptions
from processor.commands.console.page import Known
from processor.commands.console.server import Server
from processor.commands.console.watch import TaskWatch, Watch, stale_seconds
from processor.errors import UsageError
from processor.replication.dead_letters import census
from processor.reporting import output
from processor.settings import task_files
from processor.settings.task_files import NamedTask
from processor.system import open_files


def run(tasks: Sequence[NamedTask], options: ConsoleOptions) -> int:
    """Serve a page of these tasks, each direction of a two-way one by itself, until a signal comes, its usual end.

    :returns: 0
    :raises UsageError: the address can't be listened on
    """
    tasks = list(task_files.in_directions(tasks))
    open_files.allow_many()  # each task's clients keep their connections, and each tab has one
    try:
        listener = server.listening(options.address, options.port)
    except (OSError, OverflowError) as exc:
        message = (
            f"{options.address} port {options.port}: can't be listened on ({getattr(exc, 'strerror', None) or exc}). "
            "Nothing was started. Give another --port, 0 for any that is free, or end what listens there."
        )
        raise UsageError(message) from exc
    watches = [
        TaskWatch(
            topic,
            task,
            letters=census.count,
            interval_seconds=options.interval_seconds,
            max_lag_seconds=options.max_lag_seconds,
        )
        for topic, task in zip(_topics(tasks), tasks, strict=True)
    ]
    hub = Hub({each.known.topic: each.known for each in watches}, stale_seconds=stale_seconds(options.interval_seconds))
    watch = Watch(watches, interval_seconds=options.interval_seconds, tabs=lambda: hub.tabs, opened=hub.opened)
    place = _address(options.address, listener.getsockname()[1])
    running: list[asyncio.AbstractEventLoop] = []

    def publish(known: Known) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: a look that took longer than the rest of it
            running[0].call_soon_threadsafe(hub.publish, known)

    def begun(loop: asyncio.AbstractEventLoop) -> None:
        running.append(loop)
        watch.start(publish)
        named = "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"
        output.line(f"The console of {named} is at {place} (Ctrl-C ends it)", flush=True)
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


def _topics(tasks: Sequence[NamedTask]) -> list[str]:
    """The tasks' names in the page's address: their files', or the whole paths where two files have one name."""
    count = Counter(task.file.name for task in tasks)
    # One that is given by settings alone has no file.
    return [(task.file.name if count[task.file.name] == 1 else task.file.path) or "task" for task in tasks]


def _address(address: str, port: int) -> str:
    """As a browser on this machine takes it."""
    if address in {"0.0.0.0", "::"}:  # noqa: S104  # what was given
        address = "127.0.0.1"
    return f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"
