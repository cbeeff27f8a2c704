"""Reads botocore's descriptions of services in a tenth of the time.

botocore parses each into ordered dictionaries, and looks into the folders of all 400 services. That would be a third of
a child's start, and hundreds of children may start at once.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec
from botocore.loaders import JSONFileLoader, Loader

# The kinds of files that botocore has, by their endings.
_OPENED: Mapping[str, Callable[..., IO[bytes]]] = {".json": open, ".json.gz": gzip.open}  # type: ignore[dict-item]


class _FileLoader(JSONFileLoader):
    def load_file(self, file_path: str) -> Any:
        """Read a file, given without its ending; other kinds of files as botocore does. None if there is none."""
        for ending, opened in _OPENED.items():
            with contextlib.suppress(FileNotFoundError), opened(file_path + ending, "rb") as file:
                return msgspec.json.decode(file.read())  # dictionaries keep their order
        return super().load_file(file_path)


class _Loader(Loader):
    def list_available_services(self, type_name: str) -> list[str]:
        """Every folder. Whether it has a description of this type is found out only when that is opened."""
        del type_name
        folders = [folder for folder in map(Path, self.search_paths) if folder.is_dir()]
        return sorted({entry.name for folder in folders for entry in os.scandir(folder) if entry.is_dir()})


def model_loader(search_path: str | None) -> Loader:
    """The loader with which a session reads descriptions: the same one for all sessions, for it keeps what it has read.

    :param search_path: more folders with descriptions, as in AWS_DATA_PATH
    """
    paths = [os.path.expandvars(path) for path in (search_path or "").split(os.pathsep) if path]
    return _loader(tuple(str(Path(path).expanduser()) for path in paths))


@functools.cache
def _loader(paths: tuple[str, ...]) -> Loader:
    return _Loader(extra_search_paths=list(paths), file_loader=_FileLoader())
