"""Serves the page: its three files, and a stream of events for each tab."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from processor.commands.console.guard import Guard
from processor.commands.console.hub import Hub

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

_STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PAGE = "page.html"
# Requests at once. A hundred tabs are many; whoever opens more gets 503.
_MOST_CONNECTIONS = 256
# What is left of a tab's answer at the end.
_GRACE_SECONDS = 2
_BACKLOG = 128


def application(hub: Hub, *, address: str, names: Collection[str]) -> ASGIApp:
    """The page of what the hub knows.

    :param address: on which it listens
    :param names: by which it may be asked for, beside that
    """
    files = {path.name: _file(path) for path in sorted(_STATIC.iterdir()) if path.suffix in _TYPES}

    async def index(request: Request) -> Response:
        if not hub.has(request.query_params.get("task", "")):
            return PlainTextResponse("There is no such task here.\n", status_code=404)
        return files[_PAGE]

    async def events(request: Request) -> Response:
        topic = request.query_params.get("task", "")
        if not hub.has(topic):
            return PlainTextResponse("There is no such task here.\n", status_code=404)
        return _Events(hub, topic)

    async def static(request: Request) -> Response:
        found = files.get(request.path_params["name"])
        return found or PlainTextResponse("There is no such file.\n", status_code=404)

    routes = [Route("/", index), Route("/events", events), Route("/static/{name}", static)]
    return Guard(Starlette(routes=routes), address=address, names=names)


def _file(path: Path) -> Response:
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix])


class _Events(StreamingResponse):
    """One tab's stream, which counts as long as it is open."""

    def __init__(self, hub: Hub, topic: str) -> None:
        self._hub = hub
        super().__init__(hub.events(topic), media_type="text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See Starlette."""
        with self._hub.tab():
            await super().__call__(scope, receive, send)


def listening(address: str, port: int) -> socket.socket:
    """A socket that listens.

    :raises OSError: something else listens there, or the address isn't this machine's
    """
    family, _, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made


class Server(uvicorn.Server):
    """Serves until a signal comes; then every tab gets the last page, and its stream is ended.

    :param begun: called with the event loop once it listens
    :param ending: called, in a thread of its own, before the tabs' streams are ended, with the signal's number
    """

    def __init__(
        self,
        app: ASGIApp,
        hub: Hub,
        *,
        begun: Callable[[asyncio.AbstractEventLoop], None],
        ending: Callable[[int | None], None],
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # what strangers send is not worth a line
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._hub = hub
        self._begun = begun
        self._ending = ending
        self._signal_number: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn."""
        self._signal_number = self._signal_number or sig
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        await super().startup(sockets)
        self._begun(asyncio.get_running_loop())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        await asyncio.to_thread(self._ending, self._signal_number)
        self._hub.close()
        # A tab that does not read its last page is cut off, which nobody has to hear of.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)
