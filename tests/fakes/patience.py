"""How long tests wait for what surely comes: one place, and long enough for a machine that has much else to do.

A test that passes never waits so long. Whoever looks at one that fails may set PATIENCE_SECONDS in the environment, to
hear of it sooner. ``pyproject.toml`` has pytest's own timeout, which is for what hangs without waiting here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = float(os.environ.get("PATIENCE_SECONDS", "300"))
# A look at tables or logs is work, for the servers too: after a while there is a tenth of the wait so far between two.
_LONGEST_PAUSE_SECONDS = 0.2


def until(
    condition: Callable[[], Any], what: str, *, seconds: float = PATIENCE_SECONDS, pause_seconds: float = 0.02
) -> Any:
    """Wait until ``condition`` gives something true, and return that; fail with ``what`` when it never does.

    :param pause_seconds: between the first looks; more where a look is work
    """
    began = time.monotonic()
    while True:
        waited = time.monotonic() - began
        late = waited >= seconds  # before the look: a look that was held up is one all the same
        value = condition()
        if value:
            return value
        if late:
            raise AssertionError(f"after {seconds:.0f} s still not: {what}")
        time.sleep(max(pause_seconds, min(waited / 10, _LONGEST_PAUSE_SECONDS)))
