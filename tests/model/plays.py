"""What the protocol is checked in. A play that names a bound has too many states to be looked at whole."""

from __future__ import annotations

from tests.model.world import Play

PLAYS: dict[str, Play] = {
    "writers on both sides": Play(hub=2, spoke=2),
    "values return": Play(hub=2, spoke=2, returning=True),
    "last arrival wins": Play(hub=2, spoke=2, policy="lastArrival"),
    "last arrival wins, values return": Play(hub=2, spoke=2, policy="lastArrival", returning=True),
    "a crash": Play(hub=2, spoke=1, crashes=1),
    "a crash, last arrival wins": Play(hub=2, spoke=1, crashes=1, policy="lastArrival"),
    "nobody writes at the spoke, two crashes": Play(hub=3, spoke=0, crashes=2),
    "tables that were filled before": Play(hub=2, spoke=2, filled=True),
    "old markers": Play(hub=1, spoke=2, crashes=1, stale=True),
    "old items are put back, out of the window": Play(hub=1, spoke=2, crashes=1, put_back=True, window=0),
    "markers of other keys, and other uses of the attribute": Play(hub=2, spoke=1, crashes=1, foreign=True),
    "the hub's items grow": Play(hub=2, spoke=2, growing=True, filled=True),
    "the mirror coalesces": Play(hub=3, spoke=1, coalesces=True),
    "the mirror coalesces, a crash": Play(hub=2, spoke=1, crashes=1, coalesces=True),
    "the uplink takes what follows as one": Play(hub=1, spoke=3, chains=True),
    "the uplink takes what follows as one, a crash": Play(hub=1, spoke=2, crashes=1, chains=True),
    "the uplink takes what follows as one, values return": Play(hub=2, spoke=3, chains=True, returning=True),
    "the uplink takes what follows as one, last arrival wins": Play(
        hub=1, spoke=2, crashes=1, chains=True, policy="lastArrival"
    ),
    "both sides take records as one, tables that were filled": Play(
        hub=2, spoke=2, coalesces=True, chains=True, filled=True
    ),
    "a copy beside": Play(hub=2, spoke=0, restores=1, crashes=1),
    "a copy beside writers": Play(hub=1, spoke=1, restores=1, filled=True),
    "a repair of a spoke's extra item": Play(hub=1, spoke=2, restores=1),
    "two spokes": Play(hub=1, spoke=1, spokes=2),
    "two spokes, two writers": Play(hub=1, spoke=2, spokes=2),
    "two spokes, last arrival wins": Play(hub=1, spoke=1, spokes=2, policy="lastArrival"),
}
