"""The options of ``run.sh unmark``, as ``registry.py`` lists them. Pure."""

from __future__ import annotations

import msgspec


class UnmarkOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says beside the settings.

    :param write_units: a second at most; None for no limit
    """

    write_units: int | None = None
    dry_run: bool = False
    as_json: bool = False
