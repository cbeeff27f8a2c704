"""How many files and connections this process may have open."""

from __future__ import annotations

import contextlib
import resource

# More than any command needs: some 25 connections for each of 2,000 tasks.
_ENOUGH = 50_000


def allow_many() -> None:
    """Raise the limit as far as the system lets this process: shells start programs with 1,024, of some 500,000."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # then a call that finds no room says so
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
