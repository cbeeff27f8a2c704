"""The options of ``run.sh verify``, as ``registry.py`` lists them. Pure."""

from __future__ import annotations

from pathlib import Path

import msgspec

from processor.settings.attribute_paths import Path as AttributePath


class VerifyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says beside the settings; ``share`` is that of ``--sample``, 1 without it."""

    share: float = 1.0
    recheck: int = 3
    show: int = 20
    values: bool = False
    output: Path | None = None
    ignore: tuple[AttributePath, ...] = ()
    expired: bool = False
    repair: bool = False
    delete_extra: bool = False
    dry_run: bool = False
    shared: bool = False
    rolling: bool = False
    as_json: bool = False
