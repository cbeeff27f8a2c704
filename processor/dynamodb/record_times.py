"""Whether a source rounds its records' times to the minute, as DynamoDB Local does: a lag is then known to a minute.

AWS gives seconds (API reference, StreamRecord's ApproximateCreationDateTime), of which one in sixty is a whole minute
by chance; so it takes several different ones.
"""

from __future__ import annotations

MINUTE_SECONDS = 60
# By chance, one source in 200,000 has so many.
_ENOUGH = 3


class RecordTimes:
    """The times that were seen so far. Any number of threads may tell.

    :param known_rounded: it is known beforehand, as by DynamoDB Local's ARNs
    """

    def __init__(self, *, known_rounded: bool = False) -> None:
        self._rounded = known_rounded
        self._exact = False
        self._minutes: set[int] = set()

    def see(self, seconds: float) -> None:
        """Take a record's time into account, in seconds since the epoch."""
        if self._exact or self._rounded:
            return
        if seconds % MINUTE_SECONDS:
            self._exact = True
            return
        self._minutes.add(int(seconds))
        self._rounded = len(self._minutes) >= _ENOUGH

    @property
    def rounded(self) -> bool:
        """Whether they are whole minutes, all of them."""
        return self._rounded


def of_stream(arn: str) -> RecordTimes:
    """None seen yet, of a stream whose ARN may tell: DynamoDB Local's has a region of its own, whatever it is asked."""
    return RecordTimes(known_rounded=":ddblocal:" in arn)
