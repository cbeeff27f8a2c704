"""A stamp: what makes each write of a marker another one. The only module of this room that reads clock and chance."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

# Two writes of one millisecond have the same nonce once in 2**48 times.
NONCE_BYTES = 6


class Stamp(NamedTuple):
    """``written_ms`` is in milliseconds since the epoch, by the writer's clock; ``nonce`` has ``NONCE_BYTES``."""

    written_ms: int
    nonce: bytes


def new_stamp() -> Stamp:
    """Make one, for one request: a request that is made again has another."""
    return Stamp(time.time_ns() // 1_000_000, os.urandom(NONCE_BYTES))
