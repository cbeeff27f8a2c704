"""The properties files of the tasks that a command names: which they are, what they inherit, and where a value stands.

::

    conf/                      a directory: every *.properties in it is a task, in the order of the names
      common.properties        not a task: all tasks of the directory inherit it, and their own values win
      orders.properties        the task "orders"
      ..data, .x.swp, x~       hidden and editors' temporary files are passed over

A ``common.properties`` is inherited where its directory is named, or it itself is, beside other files, as in
``conf/*.properties``. A file that is named alone inherits nothing.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import javaproperties

from processor.errors import UsageError
from processor.reporting.failure import FailureReport
from processor.reporting.findings import Finding
from processor.reporting.task_output import TaskOutcome
from processor.settings import loader
from processor.settings.settings import UPLINK_SUFFIX, Settings

SUFFIX = ".properties"
COMMON = "common.properties"
# Kubernetes mounts a ConfigMap with a link ..data; vim, emacs, gedit and office programs begin their own files so.
_PASSED_OVER = (".", "#", "~")
# Stands after the path of a two-way task's file, for its uplink.
_UPLINK = " (uplink)"
# Hundreds of times what all settings take; a megabyte is parsed in a second or two.
_MOST_BYTES = 2**20
_LINE_END = re.compile(r"\r\n|\r|\n")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What stands in the files of a task, under our names for it.

    :param places: ``file:line`` of each value that counts
    """

    own: Mapping[str, str]
    inherited: Mapping[str, str]
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTask:
    """A task that was named together with others, with its settings, or with what is wrong with them.

    :param places: where its settings are given, each by its name: ``file:line``, or in words
    :param findings: what is wrong with it beside the others
    """

    file: TaskFile
    settings: Settings | None = None
    error: str = ""
    places: Mapping[str, str]
    findings: tuple[Finding, ...] = ()

    @property
    def heading(self) -> str:
        """The line above what is said of the task."""
        return f"== {self.file.path}" + (f": {self.settings.path}" if self.settings else "")

    @property
    def error_with_places(self) -> str:
        """The error, and where the settings are given that it names; empty if there is none."""
        places = "; ".join(self.where(self.error))
        return f"{self.error} ({places})" if places else self.error

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What it shares with others and must not; the other findings are warnings."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def outcome(
        self,
        status: int | None,
        *,
        result: Any = None,
        message: str = "",
        reasons: Sequence[Finding] = (),
        wrong: str = "",
    ) -> TaskOutcome:
        """What came of a command with the task.

        :param status: the exit status; None if it was not reached
        :param result: what the command gave; where that is nothing and a message ended it, a failure stands for it
        :param message: what ended it
        :param reasons: the findings that the message comes from
        :param wrong: all that was said of things that are wrong
        """
        if result is None and message and status is not None:
            result = FailureReport(exit_status=status, error=message, findings=list(reasons))
        return TaskOutcome(
            task=self.file.name,
            file=self.file.own_path,
            exit_status=status,
            result=result,
            error=message,
            findings=self.findings,
            places=self.places_in(f"{message} {wrong}"),
        )

    def places_in(self, text: str) -> dict[str, str]:
        """Where the settings are given that a message names."""
        words = set(re.findall(r"[\w.]+\w", text))
        return {name: place for name, place in self.places.items() if name in words}

    def where(self, text: str) -> list[str]:
        """``places_in`` for people, without what the message has itself."""
        return [f"{name} is given in {place}" for name, place in self.places_in(text).items() if place not in text]


def in_directions(tasks: Iterable[NamedTask], *, kept: Container[str] = ()) -> Iterator[NamedTask]:
    """The same tasks, and after each two-way one its uplink as a task beside it.

    :param kept: paths of tasks that run: an uplink among them stays while its file can't be used
    """
    for task in tasks:
        settings = task.settings
        if settings is None:
            yield task
            if task.file.uplink.path in kept:
                yield replace(task, file=task.file.uplink)
            continue
        yield task
        yield from (replace(task, file=task.file.uplink, settings=each) for each in settings.in_directions[1:])


def beside(path: str) -> str:
    """Where a required setting may stand that a file lacks which was named alone; empty if nowhere."""
    file = Path(path)
    common = _common(file)
    if common is None or file.name == COMMON:
        return ""
    name = TaskFile(path=path).name
    return f"{common} is inherited only where its directory is named: {file.parent} --task {name}."


def are_many(paths: Sequence[str]) -> bool:
    """Whether these name tasks in another way than as one file."""
    return len(paths) > 1 or any(is_directory(path) for path in paths)


def is_directory(path: str | Path) -> bool:
    """Whether that is a directory of tasks.

    :raises UsageError: nobody can tell, as on a file server that is away
    """
    try:
        return Path(path).is_dir()
    except OSError as exc:
        message = f"{path}: can't be looked at ({exc.strerror}). Nothing was done. Check the path, and its permissions."
        raise UsageError(message) from exc


def find(paths: Sequence[str]) -> list[TaskFile]:
    """The files of the tasks that files and directories name, each once, in the order in which they are named.

    :raises UsageError: a directory can't be listed, or there is no task at all
    """
    found = list_files(paths)
    if not found:
        message = (
            f"{', '.join(paths)}: no task. Nothing was done. Put each task's settings into a file of its own "
            f"that is called NAME{SUFFIX}, and is not {COMMON}."
        )
        raise UsageError(message)
    return found


def list_files(paths: Iterable[str]) -> list[TaskFile]:
    """As ``find``; there may be none.

    :raises UsageError: a directory can't be listed
    """
    found: dict[
        Path, Path
    ] = {}  # each as it is shown, by its absolute path; links are not followed, for two may differ
    inheriting: set[Path] = set()
    named = [Path(path) for path in paths]
    for path in named:
        files = [path]
        if is_directory(path):
            inheriting.add(path.absolute())
            files = [path / name for name in _listed(path)]
        elif path.name == COMMON:
            inheriting.add(path.absolute().parent)
            files = []
        for file in files:
            found.setdefault(file.absolute(), file)
    return [
        TaskFile(path=str(shown), common=_common(shown) if path.parent in inheriting else None)
        for path, shown in found.items()
    ]


def choose(files: Sequence[TaskFile], name: str) -> TaskFile:
    """The one task of that name.

    :raises UsageError: there is none, or more than one
    """
    chosen = [file for file in files if file.name == name]
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        message = f"--task {name}: {' and '.join(file.path for file in chosen)} have that name. Name the file itself."
        raise UsageError(message)
    names = ", ".join(sorted({file.name for file in files}))
    message = f"--task {name}: there is no such task among those that are named. There are {names}."
    raise UsageError(message)


def _listed(directory: Path) -> list[str]:
    try:
        names = sorted(path.name for path in directory.iterdir())
    except OSError as exc:
        message = f"Directory {directory}: can't be listed ({exc.strerror}). Nothing was done. Check its permissions."
        raise UsageError(message) from exc
    return [name for name in names if name.endswith(SUFFIX) and not name.startswith(_PASSED_OVER) and name != COMMON]


def _common(shown: Path) -> str | None:
    """The common file beside a task's; one that can't be looked at counts, so that it is noticed."""
    path = shown.parent / COMMON
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return str(path)
    return str(path)


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
