"""How something is retried: the pauses, what ends the retries, and how often they are reported. All limits are here.

============  =====================  ====================================================  ========================
policy        pauses                 it ends                                               reported
============  =====================  ====================================================  ========================
RECORDS       0 to 50 ms, doubling   never: no change is given up                          at once, after 5 s, then
              up to 5 s                                                                    doubling up to 5 minutes
COMMAND       as RECORDS             at a denial: at once if nothing has worked yet,       as RECORDS; what a person
                                     otherwise after 15 minutes; at an outage: after a     must put right also as an
                                     day                                                   error, after a minute
COPY          as RECORDS             as COMMAND, but never at once: other parts of the     as COMMAND
                                     copy may have worked
START         0.5 to 1 s, doubling   at what AWS says is wrong: after 10 s                 as RECORDS
              up to a minute
HELD          a minute               never                                                 at once, after 5 minutes,
                                                                                           then doubling up to an
                                                                                           hour
HOLD_ROWS     0 to 1 s, doubling     never                                                 as RECORDS
              up to a minute
LETTERS       as RECORDS             at a denial: after a minute, the shard is HELD        as RECORDS
ROLE          20 s                   never                                                 as RECORDS
METRICS       each sink's interval   never                                                 at once, after 10
                                                                                           minutes, then doubling up
                                                                                           to an hour
METRICS_PORT  5 s                    never                                                 as RECORDS
NOTICES       2.5 to 5 s, doubling   never: the newest is told when it can be              at once, then once a day
              up to 5 minutes
TASK          5 s, doubling up to    never                                                 each time
              5 minutes
CARE          as TASK                never                                                 at each new reason, and once
                                                                                           an hour
============  =====================  ====================================================  ========================

``status`` and ``check`` have no policy: they report what they saw, and retry nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from processor.flow.chance import CHANCE

_NEVER = float("inf")


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """How often something is reported, however often it is tried.

    :param first_seconds: between the first two messages; the interval doubles up to ``last_seconds``
    :param quiet_seconds: a failure this long after the last one begins a new outage
    """

    first_seconds: float = 5.0
    last_seconds: float = 300.0
    quiet_seconds: float = 60.0

    def due(self, seconds: float) -> int:
        """How many messages are due after ``seconds``, including the very first."""
        count, left, step = 1, seconds, self.first_seconds
        while step < self.last_seconds and left >= step:
            count, left, step = count + 1, left - step, min(step * 2, self.last_seconds)
        return count + int(left // step)


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table above.

    :param first_pause_seconds: upper bound of the pause after the first failure; it doubles with each further failure
    :param longest_pause_seconds: upper bound of every pause
    :param least_share: the part of that bound that is always waited; more than 0 means less jitter
    :param denied_seconds: how long failures are retried that only a person can put right
    :param outage_seconds: how long failures are retried that may pass by themselves, except throttling and credentials
        that are being rotated
    :param ends_at_first_denial: a denial is final if nothing has worked before
    :param attention_seconds: after how long a failure that a person must put right is reported as an error
    """

    first_pause_seconds: float = 0.05
    longest_pause_seconds: float = 5.0
    least_share: float = 0.0
    denied_seconds: float = _NEVER
    outage_seconds: float = _NEVER
    ends_at_first_denial: bool = False
    attention_seconds: float = _NEVER
    rhythm: Rhythm = Rhythm()


def _each(seconds: float, *, rhythm: Rhythm = Rhythm()) -> RetryPolicy:  # noqa: B008  # it is frozen
    """A policy without end, with pauses of one length."""
    return RetryPolicy(first_pause_seconds=seconds, longest_pause_seconds=seconds, least_share=1.0, rhythm=rhythm)


RECORDS = RetryPolicy()
# A denial: long enough to change a policy back that was changed by mistake, or to restore a table.
# An outage: the stream keeps changes for a day, so nobody needs the copy after that; and nothing is retried for ever.
COMMAND = RetryPolicy(
    denied_seconds=900.0, outage_seconds=24 * 3600.0, ends_at_first_denial=True, attention_seconds=60.0
)
COPY = RetryPolicy(denied_seconds=900.0, outage_seconds=24 * 3600.0, attention_seconds=60.0)
# A new role or policy takes seconds to be known everywhere (IAM user guide, "Changes that I make are not always
# immediately visible"). Its long pauses must not look like the end of an outage.
START = RetryPolicy(
    first_pause_seconds=1.0,
    longest_pause_seconds=60.0,
    least_share=0.5,
    denied_seconds=10.0,
    rhythm=Rhythm(quiet_seconds=600.0),
)
HELD = _each(60.0, rhythm=Rhythm(first_seconds=300.0, last_seconds=3600.0))
HOLD_ROWS = RetryPolicy(first_pause_seconds=1.0, longest_pause_seconds=60.0)
# New policies and buckets take a while to be seen everywhere, and a role may just be renewed. After this time, waiting
# would hide something that a person has to put right.
LETTERS = RetryPolicy(denied_seconds=60.0)
# STS limits an account's calls.
ROLE = _each(20.0)
# It is tried once a minute; a message each time would be too many.
METRICS = RetryPolicy(rhythm=Rhythm(first_seconds=600.0, last_seconds=3600.0, quiet_seconds=3600.0))
METRICS_PORT = _each(5.0)
# Whoever is to be told of everything else can't be told of this; so the log is, once.
NOTICES = RetryPolicy(
    first_pause_seconds=5.0,
    longest_pause_seconds=300.0,
    least_share=0.5,
    rhythm=Rhythm(first_seconds=24 * 3600.0, last_seconds=24 * 3600.0, quiet_seconds=900.0),
)
# One task of many that could not begin, or has ended by itself.
TASK = RetryPolicy(first_pause_seconds=5.0, longest_pause_seconds=300.0, least_share=1.0)

# A command that a caretaker has begun, and that failed.
CARE = TASK


class Backoff:
    """A policy's pauses: exponential, by default with full jitter.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    def __init__(self, policy: RetryPolicy, *, uniform: Callable[[float, float], float] = CHANCE.uniform) -> None:
        self._policy = policy
        self._uniform = uniform
        self._tries = 0

    def next_seconds(self) -> float:
        """The wait before the next try."""
        bound = min(self._policy.longest_pause_seconds, self._policy.first_pause_seconds * 2**self._tries)
        self._tries = min(self._tries + 1, 32)
        return self._uniform(bound * self._policy.least_share, bound)

    def reset(self) -> None:
        """After a success."""
        self._tries = 0
