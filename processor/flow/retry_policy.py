"""How something is tried again: the pauses, what ends it, and how often it is said. All limits are here.

============  =====================  ====================================================  ========================
policy        pauses                 it ends                                               said
============  =====================  ====================================================  ========================
RECORDS       0 to 50 ms, doubling   never: no change is given up                          at once, after 5 s, then
              up to 5 s                                                                    doubling up to 5 minutes
COMMAND       as RECORDS             at a denial: at once where nothing has worked yet,    as RECORDS; what a person
                                     else after 15 minutes; at an outage: after a day      must put right also as an
                                                                                           error, after a minute
COPY          as RECORDS             as COMMAND, but at no denial at once: other parts     as COMMAND
                                     of it may have worked
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
============  =====================  ====================================================  ========================

``status`` and ``check`` have none: they say what they saw, and try nothing again.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

_NEVER = float("inf")


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """How often something is said: a message a minute matters, one a try does not.

    :param first_seconds: between the first two messages; the interval doubles up to ``last_seconds``
    :param quiet_seconds: a failure that comes so long after the last is a new outage's
    """

    first_seconds: float = 5.0
    last_seconds: float = 300.0
    quiet_seconds: float = 60.0

    def due(self, seconds: float) -> int:
        """How many messages are due after ``seconds``, the first of all included."""
        count, left, step = 1, seconds, self.first_seconds
        while step < self.last_seconds and left >= step:
            count, left, step = count + 1, left - step, min(step * 2, self.last_seconds)
        return count + int(left // step)


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table above.

    :param first_pause_seconds: the bound of the pause after the first failure, which doubles with each other one
    :param longest_pause_seconds: that bound's own
    :param least_share: of the bound, how much is waited at least; more than 0 is less jitter
    :param denied_seconds: for how long what only a person can put right is tried again
    :param outage_seconds: the same for what may pass by itself, but throttling and credentials that are being rotated
    :param ends_at_first_denial: a denial is final where nothing has worked before
    :param attention_seconds: after how long what a person must put right is said as an error
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
    """Without end, and with pauses of one length."""
    return RetryPolicy(first_pause_seconds=seconds, longest_pause_seconds=seconds, least_share=1.0, rhythm=rhythm)


RECORDS = RetryPolicy()
# A denial: long enough for a policy that is changed by mistake and changed back, or a table that is being restored.
# An outage: the stream keeps changes for as long, so nobody waits for a copy any longer; and nothing is tried for ever.
COMMAND = RetryPolicy(
    denied_seconds=900.0, outage_seconds=24 * 3600.0, ends_at_first_denial=True, attention_seconds=60.0
)
COPY = RetryPolicy(denied_seconds=900.0, outage_seconds=24 * 3600.0, attention_seconds=60.0)
# A new role or policy takes seconds to be known everywhere (IAM user guide, "Changes that I make are not always
# immediately visible"). Its pauses are no quiet.
START = RetryPolicy(
    first_pause_seconds=1.0,
    longest_pause_seconds=60.0,
    least_share=0.5,
    denied_seconds=10.0,
    rhythm=Rhythm(quiet_seconds=600.0),
)
HELD = _each(60.0, rhythm=Rhythm(first_seconds=300.0, last_seconds=3600.0))
HOLD_ROWS = RetryPolicy(first_pause_seconds=1.0, longest_pause_seconds=60.0)
# New policies and buckets take a while to be seen everywhere, and a role may just be renewed; after so long, waiting
# hides what somebody has to put right.
LETTERS = RetryPolicy(denied_seconds=60.0)
# STS limits an account's calls.
ROLE = _each(20.0)
# A try a minute: each of them a message would be too many.
METRICS = RetryPolicy(rhythm=Rhythm(first_seconds=600.0, last_seconds=3600.0, quiet_seconds=3600.0))
METRICS_PORT = _each(5.0)


class Backoff:
    """A policy's pauses: exponential, by default with full jitter.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    def __init__(self, policy: RetryPolicy, *, uniform: Callable[[float, float], float] = random.uniform) -> None:
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
