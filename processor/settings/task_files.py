"""The properties files of the tasks that a command names: which they are, and which of them inherit.

::

    conf/                      a directory: every *.properties in it is a task, in the order of the names
      common.properties        not a task: all tasks of the directory inherit it, and their own values win
      orders.properties        the task "orders"
      ..data, .x.swp, x~       hidden and editors' temporary files are passed over

A ``common.properties`` is inherited where its directory is named, or it itself is, beside other files, as in
``conf/*.properties``. A file that is named alone inherits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from processor.errors import UsageError
from processor.settings.task_file import SUFFIX, TaskFile

COMMON = "common.properties"
# Kubernetes mounts a ConfigMap with a link ..data; vim, emacs, gedit and office programs begin their own files so.
_PASSED_OVER = (".", "#", "~")


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
