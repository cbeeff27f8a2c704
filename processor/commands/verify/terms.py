"""In which way two tables are compared: the same for whoever shares a comparison, or goes on with one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processor.commands.verify.options import VerifyOptions
from processor.commands.verify.task import VerifyTask
from processor.settings import attribute_paths


def compared(task: VerifyTask, *, view_digest: str) -> dict[str, str]:
    """What is compared with what, and what of it: each term's name, as people know it, and its value.

    :param view_digest: of the task's view of the items
    """
    settings, expiry = task.settings, task.expiry
    ttl = (expiry.source.attribute, expiry.destination.attribute, expiry.kept.attribute)
    return {
        "the source table": _identity(task.source),
        "the destination table": _identity(task.destination),
        "what both tables' TTL is on": "/".join(each or "-" for each in ttl),
        "ttlDeletes": settings.ttl_deletes,
        "the settings for what is left out, masked, renamed or added": view_digest,
        "what is never compared": ",".join(sorted(map(attribute_paths.shown, task.form.ignored))),
    }


def shared(task: VerifyTask, options: VerifyOptions, *, view_digest: str) -> dict[str, str]:
    """The same, and what else each machine of a shared verification must be given.

    :param view_digest: of the task's view of the items
    """
    return compared(task, view_digest=view_digest) | {
        "--recheck": str(options.recheck),
        "--expired": str(options.expired),
        "--repair": str(options.repair),
        "--deleteExtra": str(options.delete_extra),
        "--dryRun": str(options.dry_run),
    }


def others_than(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """The names of the terms that are not the same."""
    return sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))


def _identity(table: Mapping[str, Any]) -> str:
    return str(table.get("TableId") or table.get("TableArn") or table.get("TableName", ""))
