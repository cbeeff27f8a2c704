"""What was found in a part of a shared verification, in a form that is small enough for its row."""

from __future__ import annotations

import zlib

import msgspec

from processor.commands.verify.report import Found, VerifyReport
from processor.errors import UnavailableError
from processor.flow import shapes

# Of each part, and of all together, before they are compressed: whoever has nothing to do reads all rows every 2 s.
MOST_KEYS = 100
MOST_BYTES = 32 * 1024
_MOST_BYTES_IN_ALL = 4 * 1024 * 1024
_MOST_PATHS = 20

_decoder = shapes.decoder(VerifyReport)


def packed(report: VerifyReport, *, parts: int) -> bytes:
    """All counts, and as many of the keys as there is room for.

    :param parts: how many parts there are
    """
    keys, size = list[Found](), 0
    most_bytes = min(MOST_BYTES, _MOST_BYTES_IN_ALL // parts)
    for found in report.keys[:MOST_KEYS]:
        kept = msgspec.structs.replace(found, paths=found.paths[:_MOST_PATHS])
        size += len(msgspec.json.encode(kept))
        if size > most_bytes:
            break
        keys.append(kept)
    return zlib.compress(msgspec.json.encode(msgspec.structs.replace(report, keys=keys)), 1)


def unpacked(content: bytes) -> VerifyReport:
    """What ``packed`` has made.

    :raises UnavailableError: it was made by something else
    """
    try:
        return _decoder.decode(zlib.decompress(content))
    except (zlib.error, msgspec.MsgspecError) as exc:
        message = f"a row of a shared verification holds a report that is not ours ({exc})"
        raise UnavailableError(message, code=type(exc).__name__) from exc
