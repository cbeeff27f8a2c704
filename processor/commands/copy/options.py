"""The options of ``run.sh copy``, as ``registry.py`` lists them. Pure."""

from __future__ import annotations

import msgspec


class CopyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says beside the settings; ``via_s3`` is ``s3://bucket/prefix``."""

    concurrent: bool = False
    restart: bool = False
    forget: bool = False
    dry_run: bool = False
    as_json: bool = False
    via_s3: str | None = None
