"""Makes all threads share one arena of the C library's memory allocator.

glibc gives threads arenas of their own, eight for each core, and each keeps memory that was freed. A child has up to 80
threads whose answers may be large: 16 MB of answers took 150 MB that way. Python's threads take turns anyway.
"""

from __future__ import annotations

import ctypes

# mallopt(3).
_M_ARENA_MAX = -8


def one_arena() -> None:
    """Call it before the first thread starts. With another C library than glibc nothing is done."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
