"""``./test.sh model``: the two-way protocol in every order of events, as far as memory reaches."""

from __future__ import annotations

import argparse
import sys
import time

from tests.model.checked import check
from tests.model.plays import PLAYS
from tests.model.shortcuts import SHORTCUTS

# About a gigabyte of memory.
MOST_STATES = 1_000_000


def main() -> int:
    """Check each play, then each shortcut; 1 if a play does not hold, or a shortcut does."""
    parser = argparse.ArgumentParser(prog="./test.sh model", description=__doc__)
    parser.add_argument("--states", type=int, default=MOST_STATES, help="most states of a play (%(default)s)")
    parser.add_argument("play", nargs="*", help="parts of the names of plays; all without it")
    given = parser.parse_args()
    is_good = True
    for name, play in (PLAYS | SHORTCUTS).items():
        if given.play and not any(part in name for part in given.play):
            continue
        began = time.monotonic()
        found = check(play, most_states=given.states)
        is_good = is_good and (found.violation is None) == (name in PLAYS)
        kind = "" if name in PLAYS else "shortcut: "
        print(f"{kind}{name}: {found} ({time.monotonic() - began:.0f} s)", flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
