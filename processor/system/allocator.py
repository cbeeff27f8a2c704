"""The C library's memory, given out in one place for all threads.

glibc gives threads places ("arenas") of their own, eight for each core, and keeps in each what was freed at its end. A
child has up to 80 threads whose answers may be large: what is held together by 16 MB of answers was 150 MB that way.
Python's threads take turns anyway.
"""

from __future__ import annotations

import ctypes

# mallopt(3).
_M_ARENA_MAX = -8


def one_arena() -> None:
    """Before the first thread. Another C library than glibc has no such places, and nothing is done."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
