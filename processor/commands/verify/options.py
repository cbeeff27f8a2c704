"""The options of ``run.sh verify``, as ``registry.py`` lists them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor.commands.verify.attribute_paths import Path as AttributePath


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """``share`` is that of ``--sample``, 1 without it."""

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
    as_json: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> VerifyOptions:
        """The values that were parsed, by their options' names."""
        return cls(
            share=options["sample"],
            recheck=options["recheck"],
            show=options["show"],
            values=options["values"],
            output=None if options["output"] is None else Path(options["output"]),
            ignore=tuple(path for some in options["ignore"] for path in some),
            expired=options["expired"],
            repair=options["repair"],
            delete_extra=options["deleteExtra"],
            dry_run=options["dryRun"],
            as_json=options["json"],
        )
