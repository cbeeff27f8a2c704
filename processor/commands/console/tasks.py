"""The tasks that the page is of: named at the start, and followed as their files come, change and go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from processor.commands.console.known import Known
from processor.commands.console.watch import TaskWatch
from processor.errors import UsageError
from processor.reporting import output
from processor.settings import named_task
from processor.settings.named_task import NamedTask
from processor.settings.task_watch import TaskWatch as Files
from processor.startup import neighbours
from processor.system import program


class Tasks:
    """Those of the page. ``follow`` is for one thread.

    :param named: at the start
    :param files: knows how they are now; None where they are not files
    :param make: looks at one, which is found in the page's address by its topic
    """

    def __init__(
        self, named: Sequence[NamedTask], *, files: Files | None, make: Callable[[str, NamedTask], TaskWatch]
    ) -> None:
        self._files = files
        self._make = make
        self._unreadable = ""
        # Those that were read just now are no news, unless they have changed since.
        found = None if files is None else self._find(files, at_once=True)
        self.watches = self._of(named if found is None else neighbours.with_findings(found, warnings=False), {})

    @property
    def known(self) -> Mapping[str, Known]:
        """Of each, by its topic."""
        return {each.known.topic: each.known for each in self.watches}

    def follow(self) -> Sequence[TaskWatch] | None:
        """Those that there are now, if they are others than before; who is as before stays."""
        if self._files is None:
            return None
        found = self._find(self._files)
        if found is None:
            return None
        before = {each.known.topic: each for each in self.watches}
        made = self._of(neighbours.with_findings(found, warnings=False), before)
        if list(map(id, made)) == list(map(id, self.watches)):
            return None
        self.watches = made
        return made

    def _find(self, files: Files, *, at_once: bool = False) -> list[NamedTask] | None:
        try:
            found = files.look(at_once=at_once)
        except UsageError as exc:
            if str(exc) != self._unreadable:
                output.say(f"{program.NAME}: {exc} The page shows the tasks that there were, until it can be read.")
            self._unreadable = str(exc)
            return None
        self._unreadable = ""
        return found

    def _of(self, named: Sequence[NamedTask], before: Mapping[str, TaskWatch]) -> list[TaskWatch]:
        """A watch for each direction of each task."""
        tasks = list(named_task.in_directions(named))
        return [
            kept if (kept := before.get(topic)) is not None and kept.task == task else self._make(topic, task)
            for topic, task in zip(_topics(tasks), tasks, strict=True)
        ]


def _topics(tasks: Sequence[NamedTask]) -> list[str]:
    """The tasks' names in the page's address: their files', or the whole paths where two files have one name."""
    count = Counter(task.file.name for task in tasks)
    # One that is given by settings alone has no file.
    return [(task.file.name if count[task.file.name] == 1 else task.file.path) or "task" for task in tasks]
