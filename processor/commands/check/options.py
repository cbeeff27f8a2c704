"""The options of ``run.sh check``, as ``registry.py`` lists them. Pure."""

from __future__ import annotations

import msgspec


class CheckOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says beside the settings."""

    as_json: bool = False
