"""Detects a source that rounds its records' times to the minute, as DynamoDB Local does, so that lags are inexact.

AWS gives seconds (API reference, StreamRecord's ApproximateCreationDateTime). One in sixty of these is a whole minute
by chance, so several different times are needed.
"""

from __future__ import annotations

MINUTE_SECONDS = 60
# By chance, one source in 200,000 has this many.
_ENOUGH = 3


class RecordTimes:
    """The times seen so far. Any number of threads may share it.

    :param known_rounded: whether rounding is known beforehand, as by DynamoDB Local's ARNs
    """

    def __init__(self, *, known_rounded: bool = False) -> None:
        self._rounded = known_rounded
        self._exact = False
        self._minutes: set[int] = set()

    def see(self, seconds: float) -> None:
        """Note a record's time, in seconds since the epoch."""
        if self._exact or self._rounded:
            return
        if seconds % MINUTE_SECONDS:
            self._exact = True
            return
        self._minutes.add(int(seconds))
        self._rounded = len(self._minutes) >= _ENOUGH

    @property
    def rounded(self) -> bool:
        """Whether all of them are whole minutes, and enough were seen."""
        return self._rounded


def of_stream(arn: str) -> RecordTimes:
    """For a stream whose ARN may tell: DynamoDB Local's has a region of its own, whichever region was asked."""
    return RecordTimes(known_rounded=":ddblocal:" in arn)
