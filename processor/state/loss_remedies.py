"""What mends the loss of changes, in words for findings. Pure.

A copy goes from the source to the destination, so it brings what a mirror has lost, or a task of one direction. Nothing
brings what an uplink has lost but what still stands at the spoke: it is listed first, then the hub's items win. Where a
copy has brought them, both sides are equal again, so it lets the uplink's shards go on, too (``LastCopy.java``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from processor.settings.settings import Settings

_COPY_AGAIN = (
    "Copy the table again (copy --restart --concurrent): when that is complete it goes on by itself. verify then "
    "names what was deleted meanwhile as extra, and --repair --deleteExtra deletes it"
)
_COPIED = "Nothing has to be done while a daemon runs: afterLoss=copy has the table copied and verified again"
_BEGIN_ANEW = (
    "If it is to go on: turn the stream on, delete the checkpoint table, copy the table again, start; once it has "
    "caught up, verify names what was deleted meanwhile as extra, and --repair --deleteExtra deletes it"
)
_LIST = (
    "List what the destination has and the source has not (verify FILE --output unsent.jsonl --values: the marker of "
    "an application's write is changed or none), and write to the source what must not be lost. "
)
_GIVE = "verify FILE --repair --deleteExtra then gives the destination what the source has"
# A copy removes nothing.
DELETED_MEANWHILE = (
    " (once it has caught up, verify names what only the destination has: what was deleted meanwhile, and whatever "
    "else; --repair --deleteExtra deletes it)"
)


def of_shard(settings: Settings) -> str:
    """Where changes of a shard are lost, and its stream is well."""
    if settings.direction == "uplink":
        return (
            f"{_LIST}Then copy the table again (copy --restart --concurrent): when that is complete it goes on by "
            f"itself. {_GIVE}"
        )
    return _COPIED if settings.after_loss == "copy" else _COPY_AGAIN


def of_stream(settings: Settings) -> str:
    """Where the stream is off, or another one."""
    return _see_unsent(settings, first="turn the stream on, ") if settings.direction == "uplink" else _BEGIN_ANEW


def of_checkpoints(settings: Settings) -> str:
    """Where the checkpoints are of another stream, or of shards that are gone."""
    if settings.direction == "uplink":
        return _see_unsent(settings)
    return f"Delete {settings.checkpoint_table}, copy the table again, then start{DELETED_MEANWHILE}"


def _see_unsent(settings: Settings, *, first: str = "") -> str:
    return (
        f"{_LIST}Then {first}delete {settings.checkpoint_table} while no daemon runs, and start: the way back begins "
        f"anew. {_GIVE}"
    )
