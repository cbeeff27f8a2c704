"""How far a replica is that looks after itself: by the caretakers' row, the copy and the verifications. Pure.

::

    created ─▶ copying, 43 % ─▶ verifying ─▶ in sync, verified at 12:03
                 ▲                              │
                 └───────── changes are lost ◀──┘
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from processor.reporting import moments
from processor.state.care_row import Phase, Trouble

if TYPE_CHECKING:
    from processor.state.status.snapshot import Seen

# The holder shows itself every 5 s, and another takes over after 20 s (caretaker/lock.py); the clocks of two machines
# may differ by a minute, as far as the daemon allows that (LastCopy.java).
UNATTENDED_SECONDS = 120
_WORDS: Mapping[Phase, str] = {
    "created": "created, and not copied yet",
    "copying": "copying",
    "verifying": "verifying",
    "in sync": "in sync",
}


class ReplicaProgress(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A replica that looks after itself; times are milliseconds since the epoch.

    ``since_ms``: when the phase began. ``share``: how much of the copy is done, from 0 to 1, or None if that is not
    known. ``verified_ms``: the begin of the last comparison that has found both tables equal, while ``phase`` is
    ``in sync``; ``differing``: a later one has found differences. ``lost_ms``: since when changes are lost that are
    being copied again. ``trouble``: why it does not go on. ``attended``: whether a caretaker works for it, ``host``;
    ``attended_ms``: when one last showed itself.
    """

    phase: Phase
    since_ms: int
    share: float | None = None
    verified_ms: int | None = None
    differing: bool = False
    lost_ms: int | None = None
    trouble: Trouble | None = None
    attended: bool = True
    attended_ms: int | None = None
    host: str = ""

    @property
    def is_made(self) -> bool:
        """Whether the destination was found equal, and no changes are known to be lost since."""
        return self.phase == "in sync"

    @property
    def needs_somebody(self) -> bool:
        """Whether a person must put something right before it goes on."""
        return self.trouble is not None and self.trouble.kind in {"refused", "differs"}


def progress(seen: Seen) -> ReplicaProgress | None:
    """How far it is; None for a task that nobody was asked to make a replica for."""
    care, copy = seen.care, seen.copy
    if care is None or care.phase is None:
        return None
    last = None if seen.verification is None else seen.verification.last
    is_made = care.phase == "in sync"
    is_newer = last is not None and last.through_ms > care.phase_since_ms
    verified_ms = last.through_ms if last is not None and is_newer and not last.differing else care.phase_since_ms
    # A row without a moment was not held yet since the start that has written it.
    shown_ms = care.beat_ms or care.phase_since_ms
    return ReplicaProgress(
        phase=care.phase,
        since_ms=care.phase_since_ms,
        share=copy.share if copy is not None and care.phase == "copying" else None,
        verified_ms=verified_ms if is_made else None,
        differing=is_made and last is not None and is_newer and last.differing > 0,
        lost_ms=care.lost_ms or None,
        trouble=care.trouble,
        attended=seen.is_running and seen.looked_ms - shown_ms <= UNATTENDED_SECONDS * 1000,
        attended_ms=care.beat_ms or None,
        host=care.host,
    )


def phase(found: ReplicaProgress) -> str:
    """As ``copying, 43 % (since 2026-11-27T12:03:09Z)``, or ``in sync, verified at 2026-11-27T12:05:10Z``."""
    if found.verified_ms is not None:
        at = f"in sync, verified at {moments.short(found.verified_ms)}"
        return f"was {at}; the last verification has found differences" if found.differing else at
    since = moments.short(found.since_ms)
    again = "" if found.lost_ms is None else f" again after the loss found at {moments.short(found.lost_ms)}"
    return f"{_WORDS[found.phase]}{again}{_share(found)} (since {since})"


def brief(found: ReplicaProgress) -> str:
    """The phase in a word or two, as ``copying, 43 %``."""
    return f"{found.phase}{_share(found)}"


def _share(found: ReplicaProgress) -> str:
    return "" if found.share is None else f", {int(found.share * 100)} %"


def trouble(found: Trouble) -> str:
    """As ``copy refused at 2026-11-27T12:03:09Z: the destination ...``."""
    if found.kind == "waits":
        return f"waits: {found.reason}"
    verb = {"delayed": "failed", "refused": "refused", "differs": "found differences"}[found.kind]
    return f"{found.command} {verb} at {moments.short(found.at_ms)}: {found.reason.rstrip('.')}"


def unattended(found: ReplicaProgress) -> str:
    """That nobody works on it."""
    since = "" if found.attended_ms is None else f" since {moments.short(found.attended_ms)}"
    return f"nobody looks after it{since}"


def sentence(found: ReplicaProgress) -> str:
    """All of it in a line."""
    parts = [phase(found)]
    if found.trouble is not None:
        parts.append(trouble(found.trouble))
    if not found.attended:
        parts.append(unattended(found))
    return "; ".join(parts)
