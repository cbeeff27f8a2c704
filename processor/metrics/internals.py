"""All access to private members of prometheus_client. No other module uses any."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from processor.reporting import changed_libraries

# Purpose -> the member's name in the library.
MEMBERS = {"a histogram's buckets": "_buckets", "their bounds": "_upper_bounds", "its sum": "_sum"}


def observe_all(histogram: Any, values: Mapping[float, int]) -> None:
    """Add observations to a histogram: each value with its count.

    Observing them one by one takes 2 µs each, several times as long as all other metrics of a record. If the library
    has changed, they are observed one by one all the same, and a message says so once.
    """
    found: list[Any] = [getattr(histogram, name, None) for name in MEMBERS.values()]
    buckets, bounds, total = found
    if not _are_as_they_were(buckets, bounds, total):
        _say(histogram)
        for value, times in values.items():
            for _ in range(times):
                histogram.observe(value)
        return
    counts = [0] * len(buckets)
    for value, times in values.items():
        counts[bisect_left(bounds, value)] += times
    total.inc(sum(value * times for value, times in values.items()))
    for bucket, count in zip(buckets, counts, strict=True):
        if count:
            bucket.inc(count)


def _are_as_they_were(buckets: Any, bounds: Any, total: Any) -> bool:
    return (
        isinstance(buckets, list)
        and isinstance(bounds, (list, tuple))
        and len(buckets) == len(bounds)
        and hasattr(total, "inc")
        and all(hasattr(bucket, "inc") for bucket in buckets)
    )


def _say(histogram: Any) -> None:
    missing = [f"{name} ({what})" for what, name in MEMBERS.items() if not hasattr(histogram, name)]
    member = ", ".join(missing) or "a histogram's members"
    instead = "Each latency is observed by itself, which costs 2 µs of CPU a record."
    changed_libraries.say("prometheus_client", member, instead=instead)
