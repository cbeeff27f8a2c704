"""One task's properties file: its path, the file that it inherits, what stands in the two, and on which lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import javaproperties

from processor.errors import UsageError
from processor.settings import loader
from processor.settings.settings import UPLINK_SUFFIX

SUFFIX = ".properties"
# Stands after the path of a two-way task's file, for its uplink.
_UPLINK = " (uplink)"
# Hundreds of times what all settings take; a megabyte is parsed in a second or two.
_MOST_BYTES = 2**20
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What stands in the files of a task, under our names for it.

    :param places: ``file:line`` of each value that counts
    """

    own: Mapping[str, str]
    inherited: Mapping[str, str]
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """One task's file.

    :param path: as it is shown to people: below the directory that was named
    :param common: the file that it inherits, if there is one
    """

    path: str
    common: str | None = None

    @property
    def name(self) -> str:
        """The task's name on the command line: that of its file. An uplink's is not one there, but in logs."""
        name = Path(self.own_path).name.removesuffix(SUFFIX)
        return name + UPLINK_SUFFIX if self.is_uplink else name

    @property
    def uplink(self) -> TaskFile:
        """The same file, for the second task that a two-way one is: what is kept by paths tells the two apart."""
        return replace(self, path=self.path + _UPLINK)

    @property
    def is_uplink(self) -> bool:
        """Whether it stands for the second task that a two-way one is."""
        return self.path != self.own_path

    @property
    def of_whole(self) -> TaskFile:
        """The same file, for the task that a command is given."""
        return replace(self, path=self.own_path)

    @property
    def own_path(self) -> str:
        """The path of the file itself, also of an uplink."""
        return self.path.removesuffix(_UPLINK)

    def read(self) -> Written:
        """What stands in it and in the file that it inherits.

        :raises UsageError: one of the two can't be read
        """
        inherited = _read(self.common) if self.common else {}
        own = _read(self.path)
        return Written(
            own={name: entry.value for name, entry in own.items()},
            inherited={name: entry.value for name, entry in inherited.items()},
            places={name: entry.place for name, entry in (inherited | own).items()},
        )


def content_of(path: str) -> bytes:
    """What a properties file has.

    :raises OSError: it can't be read
    :raises UsageError: it is too large to be one: to parse it would keep all other tasks waiting
    """
    with Path(path).open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        most = f"{_MOST_BYTES >> 20} MB"
        message = f"Properties file {path}: has more than {most}, so it is something else. Check the path."
        raise UsageError(message)
    return content


def places_in(path: str, text: str) -> dict[str, str]:
    """``file:line`` of each setting of a properties file, by our name for it.

    :param text: the file's
    :raises UsageError: it is not in Java's syntax, or gives one setting two values
    """
    return {name: entry.place for name, entry in _entries(path, text).items()}


@dataclass(frozen=True, slots=True)
class _Entry:
    value: str
    place: str


def _read(path: str) -> dict[str, _Entry]:
    try:
        if Path(path).exists() and not Path(path).is_file():
            message = f"Properties file {path}: is no file. Remove it, or put the task's settings into a file."
            raise UsageError(message)
        text = loader.decoded(content_of(path))
    except OSError as exc:
        message = f"Properties file {path}: can't be read ({exc.strerror}). Check the path, and its permissions."
        raise UsageError(message) from exc
    return _entries(path, text)


def _entries(path: str, text: str) -> dict[str, _Entry]:
    try:
        ours = loader.ours(loader.properties_of(text))
    except UsageError as exc:
        message = f"Properties file {path}: {exc}"
        raise UsageError(message) from exc
    lines = dict(_lines(text))
    return {name: _Entry(value, f"{path}:{lines[name]}") for name, value in ours.items()}


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """The line on which each setting begins, by our name for it; of one that stands twice the last, which counts."""
    line = 1
    for element in javaproperties.parse(text):
        if isinstance(element, javaproperties.KeyValue):
            yield loader.ALIASES.get(element.key, element.key), line
        line += len(_LINE_END.findall(element.source))
