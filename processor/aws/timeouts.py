"""How long a write may wait, so that it ends, answered or not, while the shard's lease is still ours. Pure."""

from __future__ import annotations

from typing import NamedTuple

# Shares of failoverTimeMillis: for each step to the destination, and for its answer. KCL renews after a third of it, so
# two thirds of the term are left at least; what a call leaves of these is for the renewal's own time.
CONNECT_SHARE = 0.1
READ_SHARE = 0.25


class WriteTimeouts(NamedTuple):
    """How long one write call waits, in seconds: for each step to the destination, and then for the answer."""

    connect: float
    read: float

    @property
    def call(self) -> float:
        """The longest that a call takes: connecting, TLS and sending are a step each (urllib3)."""
        return 3 * self.connect + self.read

    @classmethod
    def within(cls, failover_seconds: float) -> WriteTimeouts:
        """Those that let a call end well before a lease does."""
        return cls(connect=CONNECT_SHARE * failover_seconds, read=READ_SHARE * failover_seconds)
