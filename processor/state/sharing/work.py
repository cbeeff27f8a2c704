"""What is stored of any work that processes on any machines share, whatever it is. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A process that is at the work: where it is, and a number that grows while it lives."""

    host: str
    beat: int = 0


class Work(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A row of the task table: one work, for each kind of it the newest.

    ``beat`` grows while anybody is at it. ``members``: who is, by their ids; None where ``holder`` alone is.
    """

    id: str
    state: Literal["running", "done"] = "running"
    holder: str = ""
    host: str = ""
    beat: int = 0
    members: dict[str, Worker] | None = None
