"""The number of cores that this process may use, which a container may have fewer of than its machine."""

from __future__ import annotations

import math
import os
from pathlib import Path

# cgroup v2: microseconds of CPU within each period, or "max" (kernel documentation, Control Group v2, cpu.max).
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available(quota: Path = _QUOTA) -> int:
    """At least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        most, period = quota.read_text().split()
        return max(1, min(cores, math.ceil(int(most) / int(period))))
    except (OSError, ValueError, ZeroDivisionError):  # no quota
        return cores
