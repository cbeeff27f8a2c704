"""What the console answers at all: GET requests by a name that it knows, with headers that bind a browser to it.

A page of a stranger can make a browser resolve the stranger's name to 127.0.0.1 and read what is answered there (DNS
rebinding). The request then has the stranger's name in its Host header, so a name that nobody told is refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HEADERS = {
    # Scripts and styles are files of ours; nothing is inline, and nothing comes from elsewhere.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Stands before the application.

    :param address: on which the console listens
    :param names: by which it may be asked for, beside that and the loopback's names
    """

    def __init__(self, app: ASGIApp, *, address: str, names: Collection[str]) -> None:
        self._app = app
        self._known = {*_LOOPBACK, address.lower(), *names}
        # Where it listens on all addresses, any of them may be asked for: a rebound name is no address.
        self._takes_addresses = _is_any(address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        host = _name(Headers(scope=scope).get("host", ""))
        if host not in self._known and not (self._takes_addresses and _is_address(host)):
            words = "This console is not asked for by that name. Start it with --hostNames NAME to allow one.\n"
            return PlainTextResponse(words, status_code=421)
        if scope["method"] != "GET":
            return PlainTextResponse(
                "The console only shows: GET is all it takes.\n", status_code=405, headers={"Allow": "GET"}
            )
        return None


def _name(host: str) -> str:
    """A Host header without its port; of an IPv6 address, without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_any(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False
