"""The options of ``run.sh FILE``, which has none of its own. Pure."""

from __future__ import annotations

import msgspec


class ReplicateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says beside the settings: nothing."""

    @property
    def as_json(self) -> bool:
        """What a start prints is for people."""
        return False
