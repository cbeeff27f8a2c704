"""The child with a bug of ``tests/model/shortcuts.py``, which the environment's ``PLANTED`` names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from processor.replication import child
from processor.replication.change import Change
from processor.replication.two_way import writer
from processor.replication.two_way.marker import Reading
from processor.replication.two_way.writer import MirrorTable
from tests.model.shortcuts import delete_unmarked

# What applications write at the spoke says so, which no real mirror could see.
FROM_SPOKE = b'"spoke"'


@contextmanager
def _echoes_not_mirrored() -> Iterator[None]:
    write = MirrorTable.write_one

    def write_one(table: MirrorTable, change: Change) -> bool:
        return False if change.image is not None and FROM_SPOKE in bytes(change.image) else write(table, change)

    with mock.patch.object(MirrorTable, "write_one", write_one):
        yield


@contextmanager
def _deletes_unmarked() -> Iterator[None]:
    with mock.patch.object(writer, "mirror_delete", delete_unmarked):
        yield


@contextmanager
def _no_digest() -> Iterator[None]:
    with mock.patch.object(Reading, "is_intact", property(lambda reading: reading.marker is not None)):
        yield


BUGS: dict[str, Callable[[], Any]] = {
    "echoes are not mirrored": _echoes_not_mirrored,
    "deletes are not marked": _deletes_unmarked,
    "no digest": _no_digest,
}

if __name__ == "__main__":
    with BUGS[os.environ["PLANTED"]]():
        child.main()
