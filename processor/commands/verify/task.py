"""What every process of a comparison knows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from processor.commands.verify.canonical_form import CanonicalForm
from processor.commands.verify.digests import DifferingBuckets
from processor.commands.verify.pace import NO_LIMIT, Pace
from processor.dynamodb.expiry import Expiry

if TYPE_CHECKING:
    from processor.settings.settings import Settings

# Of each process: pages are decoded under Python's one lock, so more only wait for each other.
_MOST_THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyTask:
    """What a process needs to know to compare parts.

    :param source: DescribeTable of it; ``destination``: the same
    :param form: how items are compared
    :param expiry: which differences TTL excuses
    :param then: the same at one fixed time, so that an item that both tables have is left out of both sums or of
        neither
    :param shows_expired: keys that TTL excuses are named, too
    :param differing: which buckets' items are looked up; None for all, as in a sample
    :param pace: how fast each process may read both tables
    """

    settings: Settings
    source: dict[str, Any]
    destination: dict[str, Any]
    form: CanonicalForm
    expiry: Expiry
    then: Expiry
    shows_expired: bool
    differing: DifferingBuckets | None
    pace: Pace = NO_LIMIT

    @property
    def threads(self) -> int:
        """How many parts a process does at once."""
        return min(self.settings.threads, _MOST_THREADS)

    @property
    def sums_live_only(self) -> bool:
        """Whether items past their TTL are left out of the sums."""
        return self.expiry.is_alike and not self.shows_expired

    @property
    def looks_up_expired(self) -> bool:
        """Whether those of the source are looked up while it is scanned for the sums."""
        return self.sums_live_only and self.expiry.is_archive

    @property
    def leaves_expired(self) -> bool:
        """Whether it is the destination's scan that finds what differs from those of the source.

        They are in no sum, so a part of the source in which one is may be settled, though the item differs from the
        destination's, which is in another part.
        """
        return self.differing is not None and self.sums_live_only and not self.looks_up_expired
