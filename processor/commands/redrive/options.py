"""The options of ``run.sh redrive``, as ``registry.py`` lists them. Pure."""

from __future__ import annotations

import msgspec


class RedriveOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says beside the settings."""

    dry_run: bool = False
    as_json: bool = False
