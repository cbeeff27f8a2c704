"""The options of ``run.sh status``, as ``registry.py`` lists them. Pure."""

from __future__ import annotations

import msgspec


class StatusOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``max_lag_seconds``: a shard that is further behind is not healthy; ``watch_seconds``: None to look once."""

    max_lag_seconds: int = 60
    watch_seconds: int | None = None
    as_json: bool = False
