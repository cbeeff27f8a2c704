"""Keeps a shard's values in files that its daemon's exporter reads, by prometheus_client's multi-process mode.

The library keeps one set of files for each process. Here there is one for each shard, so that a shard's next child of
this daemon goes on counting where the last one ended.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram, values

from processor.metrics.instruments import Instrument
from processor.settings.daemon_files import shard_file_name

if TYPE_CHECKING:
    from prometheus_client.metrics import MetricWrapperBase

# Beside the children's settings file.
DIRECTORY = "metrics"
# The parts of the files' names by which the library makes and finds them: a file's kind, then its writer.
_FILE_BYTES = 1 << 16
_KINDS = ("counter", "histogram", "gauge_sum")
_DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_lock = threading.Lock()


def files(directory: Path, shard_id: str) -> list[Path]:
    """The files of one shard, whether they exist or not."""
    return [directory / f"{kind}_{shard_file_name(shard_id)}.db" for kind in _KINDS]


def reserve(directory: Path, shard_id: str) -> None:
    """Make the missing files, and allocate their space on the disk.

    They are mapped into memory: later, a full disk would kill the process instead of failing a call.

    :raises OSError: there is no space
    """
    for path in files(directory, shard_id):
        if path.exists():
            continue
        unready = path.with_suffix(".new")  # the collector reads .db files, and fails on an empty one
        descriptor = os.open(unready, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):  # not on macOS
                os.posix_fallocate(descriptor, 0, _FILE_BYTES)
            else:
                os.write(descriptor, bytes(_FILE_BYTES))
        finally:
            os.close(descriptor)
        unready.rename(path)


@contextmanager
def written_to(directory: Path, shard_id: str) -> Iterator[None]:
    """Within the context, metrics that get their labels are kept in that shard's files."""
    with _lock:  # the library has one variable for the whole process that says where values are kept
        before, variable = values.ValueClass, os.environ.get(_DIRECTORY_VARIABLE)
        os.environ[_DIRECTORY_VARIABLE] = str(directory)
        name = shard_file_name(shard_id)  # once: the library asks for it at each change of a value
        identifier: Callable[[], str] = lambda: name  # noqa: E731  # the library's type says int
        values.ValueClass = values.MultiProcessValue(identifier)  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            values.ValueClass = before
            os.environ.pop(_DIRECTORY_VARIABLE)
            if variable is not None:
                os.environ[_DIRECTORY_VARIABLE] = variable


def make(instrument: Instrument) -> MetricWrapperBase:
    """The library's metric for an instrument, without a registry."""
    name, help_text, labels = instrument.name, instrument.help, instrument.label_names
    if instrument.kind == "counter":
        return Counter(name, help_text, labels, registry=None)
    if instrument.kind == "histogram":
        return Histogram(name, help_text, labels, buckets=instrument.buckets, registry=None)
    return Gauge(name, help_text, labels, multiprocess_mode="sum", registry=None)
