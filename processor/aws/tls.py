"""Loads certificate authorities once for all connections of an HTTP session, not once for each.

botocore's bundle has 140 of them. Loading them takes 20 ms of CPU, and a table has many connections.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processor.aws.internals import ChangedLibraryError, authorities, make_context_by, say

_lock = threading.Lock()


class _Context(ssl.SSLContext):
    """A TLS context that remembers what it has loaded, and loads a file again only if it has changed."""

    _loaded: tuple[object, ...] | None = None

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        """See the base class."""
        wanted = None
        if cafile is not None and capath is None and cadata is None:
            state = Path(cafile).stat()
            wanted = cafile, state.st_ino, state.st_size, state.st_mtime_ns
        with _lock:  # several threads may open the first connections
            if wanted is None or wanted != self._loaded:
                super().load_verify_locations(cafile, capath, cadata)
                self._loaded = wanted


def load_once(session: Any, *, now: bool = False) -> None:
    """Let a botocore ``URLLib3Session`` load authorities once; before its first request.

    :param now: load them at once, so that processes that are forked from this one need not
    """
    file = _authorities(session) if now else None

    def made(make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        context = make()
        context.__class__ = _Context  # so it keeps everything that botocore has set
        if file is not None:
            context.load_verify_locations(cafile=file)
        return context

    try:
        make_context_by(session, made)
    except ChangedLibraryError as exc:
        say(exc, "Each connection loads its certificate authorities anew, in 20 ms of CPU.")


def _authorities(session: Any) -> str | None:
    try:
        return authorities(session)
    except ChangedLibraryError as exc:
        say(exc, "Each shard's child loads its certificate authorities itself, in 20 ms of CPU.")
        return None
