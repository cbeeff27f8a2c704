"""Bugs that an episode with applications on both sides must notice, each planted in a copy of the checkout.

They are those that the model's checker finds a counterexample for (``tests/model/shortcuts.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_ROOM = "processor/replication/two_way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """``edits`` as ``planted_checkout`` takes them; one of ``symptoms`` stands in a violation that it causes."""

    edits: dict[str, tuple[str, str]]
    symptoms: Sequence[str]


BUGS = {
    "echo-not-mirrored": Bug(
        edits={
            f"{_ROOM}/writer.py": (
                "        number = int(change.sequence_number)\n",
                (
                    "        number = int(change.sequence_number)\n"
                    '        if change.image is not None and b\'"by":{"S":"spoke"}\' in bytes(change.image):\n'
                    "            return False\n"
                ),
            )
        },
        symptoms=["at the hub, "],
    ),
    "delete-unmarked": Bug(
        edits={
            f"{_ROOM}/mirror.py": (
                "        mark = markers.deleting(identity, sequence_number=sequence_number, stamp=stamp())\n",
                (
                    "        return isinstance((yield Delete(Older(sequence_number))), Written)\n"
                    "        mark = markers.deleting(identity, sequence_number=sequence_number, stamp=stamp())\n"
                ),
            )
        },
        symptoms=["no application at the spoke has written that", "was made by nobody who may have made it"],
    ),
    "no-digest": Bug(
        edits={
            f"{_ROOM}/marker.py": (
                "self.marker is not None and self.marker.digest[_KEY_BYTES:] == _content_digest(self.content)",
                "self.marker is not None",
            )
        },
        symptoms=["is neither at the hub nor among the conflicts"],
    ),
}
