"""Timeouts with which a write ends, answered or not, while the shard's lease is still ours. Pure."""

from __future__ import annotations

from typing import NamedTuple

# Parts of failoverTimeMillis: for each step to the destination, and for its answer. KCL renews a lease after a third of
# it, so at least two thirds are left; the rest after a call is for the renewal's own time.
CONNECT_SHARE = 0.1
READ_SHARE = 0.25


class WriteTimeouts(NamedTuple):
    """The timeouts of one write call, in seconds: for each step to the destination, and then for the answer."""

    connect: float
    read: float

    @property
    def call(self) -> float:
        """The longest time of a call: connecting, TLS and sending are one step each (urllib3)."""
        return 3 * self.connect + self.read

    @classmethod
    def within(cls, failover_seconds: float) -> WriteTimeouts:
        """Timeouts with which a call ends well before its lease."""
        return cls(connect=CONNECT_SHARE * failover_seconds, read=READ_SHARE * failover_seconds)
