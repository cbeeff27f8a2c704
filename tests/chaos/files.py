"""A machine's directory of tasks, and what an operator does to it."""

from __future__ import annotations

from pathlib import Path

import javaproperties


class TaskFiles:
    """One file for each task that is there, and what all of them inherit.

    :param tasks: the settings of each, by its number
    """

    def __init__(self, folder: Path, tasks: dict[int, dict[str, str]], common: dict[str, str]) -> None:
        self.folder = folder
        self._tasks = tasks
        self._there: set[int] = set()
        folder.mkdir(parents=True)
        self._write("common", common)

    def has(self, number: int) -> bool:
        """Whether there is a file of that task."""
        return number in self._there

    def add(self, number: int) -> None:
        """Write its file, as it is to be."""
        self._there.add(number)
        self._write(_name(number), self._tasks[number])

    def change(self, number: int, **settings: str) -> None:
        """Write it with other settings, too."""
        self._write(_name(number), self._tasks[number] | settings)

    def cut(self, number: int) -> None:
        """Write the first half of it, as who is killed while writing."""
        text = _text(self._tasks[number])
        self._path(_name(number)).write_text(text[: len(text) // 2], encoding="latin-1")

    def remove(self, number: int) -> None:
        """Take it away."""
        self._there.discard(number)
        self._path(_name(number)).unlink()

    def _write(self, name: str, settings: dict[str, str]) -> None:
        self._path(name).write_text(_text(settings), encoding="latin-1")

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.properties"


def _text(settings: dict[str, str]) -> str:
    return javaproperties.dumps(settings, timestamp=False)


def _name(number: int) -> str:
    return f"task-{number}"
