"""Finds what tasks that were named together have in common and mustn't: tables, checkpoints, log directories."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from processor.reporting.findings import Finding, error, warning
from processor.settings import process_settings
from processor.settings.identity import Identity
from processor.settings.named_task import NamedTask, in_directions
from processor.settings.process_settings import ProcessSettings
from processor.settings.settings import Settings
from processor.startup.stream_readers import MOST_READERS

Tasks = Sequence[NamedTask]


def with_findings(tasks: Tasks, *, warnings: bool = True, process: ProcessSettings | None = None) -> list[NamedTask]:
    """The same tasks, each with what is wrong with it beside the others. Those without settings take no part.

    A two-way task is looked at in both directions, and has what is found of either.

    What is said of some tasks isn't followed by what comes of it: one path has one default task name, and so on.

    :param warnings: whether to say, too, what keeps no task from running
    :param process: the settings of the daemon that is to run them all; None if each may have a process of its own
    """
    found: dict[str, list[Finding]] = {}
    said: list[set[str]] = []
    for group, finding in _findings([task for task in in_directions(tasks) if task.settings is not None]):
        paths = {task.file.own_path for task in group}
        if (warnings or finding.severity == "error") and not any(paths <= others for others in said):
            said.append(paths)
            for path in paths:
                found.setdefault(path, []).append(finding)
    if warnings or process is not None:
        for task, finding in _unlike_the_process(tasks, process):
            found.setdefault(task.file.path, []).append(finding)
    return [replace(task, findings=tuple(found.get(task.file.path, ()))) for task in tasks]


def _findings(tasks: Tasks) -> Iterator[tuple[Tasks, Finding]]:
    settings = {task.file.path: task.settings for task in tasks if task.settings is not None}
    for group in _groups(tasks, {path: _tables(each) for path, each in settings.items()}):
        yield (
            group,
            error(
                "tasks-share-tables",
                _named(group),
                f"replicate one path, {settings[group[0].file.path].path}"
                f"{_places(group, 'sourceTable', 'destinationTable')}",
                "Each would write all of the source's changes, and the one that is behind older ones over the other's",
                "Keep one of the files, or correct its sourceTable or destinationTable",
                cause="setup",
            ),
        )
    for group in _groups(tasks, {path: _checkpoints(each) for path, each in settings.items()}):
        first = settings[group[0].file.path]
        yield (
            group,
            error(
                "tasks-share-checkpoints",
                _named(group),
                f"have one checkpoint table, {first.checkpoint_table} in {first.kcl_region}"
                f"{_places(group, 'taskName')}",
                "Two tasks in one table would take each other's shards and lose changes",
                "Give each a taskName of its own, or leave taskName out",
                cause="setup",
            ),
        )
    for group in _sharing_logs(tasks, {path: _log_directory(each) for path, each in settings.items()}):
        yield (
            group,
            error(
                "tasks-share-logs",
                _named(group),
                f"have one log directory, {_log_directory(settings[group[0].file.path])}"
                f"{_places(group, 'logDirectory', 'taskName')}",
                "A daemon of one would take the other's for a second one of its own, and their logs would mix",
                "Give each a taskName or a logDirectory of its own",
                cause="setup",
            ),
        )
    for group in _spokes_of_more_than_one_hub(tasks, settings):
        first = settings[group[0].file.path]
        yield (
            group,
            error(
                "tasks-share-spoke",
                _named(group),
                f"are two-way, and table {first.destination_table} in {first.destination_region} is one's spoke, and "
                "another one's hub or spoke",
                "Its items bear one marker, so the one task would take what the other writes for an application's",
                "Give each spoke one hub: a star of one hub and many spokes",
                cause="setup",
            ),
        )
    for group in _groups(tasks, {path: _source(each) for path, each in settings.items()}):
        if len({_reader(task) for task in group}) > MOST_READERS:
            yield group, _too_many_readers(group, settings[group[0].file.path])


def _too_many_readers(group: Tasks, first: Settings) -> Finding:
    return warning(
        "tasks-share-stream",
        _named(group),
        f"read one stream, that of source table {first.source_table} in {first.source_region}",
        "AWS throttles more than two readers of a shard, or more than one where the table is a replica of a global "
        "table: all of them would fall behind",
        "Give them the same identity, endpoints and batchSize at the source: one daemon then reads it once for all. "
        "Or replicate to one destination or two, and from there to the next",
    )


def _reader(task: NamedTask) -> Hashable:
    """Equal for tasks that read their stream as one, where they are in one daemon (``AwsClients.source``)."""
    settings = task.settings
    if settings is None or not settings.shared_reads_megabytes:
        return task.file.path
    endpoints = settings.source_endpoint, settings.source_streams_endpoint
    return *endpoints, settings.source_identity, settings.batch_size


def _unlike_the_process(tasks: Tasks, process: ProcessSettings | None) -> Iterator[tuple[NamedTask, Finding]]:
    first = next((task for task in tasks if task.settings is not None), None)
    if first is None or first.settings is None:
        return
    whose = f"task {first.file.path}" if process is None else "the daemon"
    of_all = process_settings.of(first.settings) if process is None else process
    for task in tasks:
        names = process_settings.differing(task.settings, of_all) if task.settings is not None else []
        if not names:
            continue
        words = (
            "tasks-differ-in-process",
            f"task {task.file.path}",
            f"has another {', '.join(names)} than {whose}{_places([task], *names)}",
            "A daemon of several tasks is one process, which has one of each, so this task can't be one of them",
            "Give all tasks the same, best in common.properties, and start the daemon anew; or run this task by itself",
        )
        yield task, warning(*words) if process is None else error(*words, cause="setup")


def _groups(tasks: Tasks, keys: Mapping[str, Hashable]) -> Iterator[Tasks]:
    """Those of which more than one has the same key."""
    groups: dict[Hashable, list[NamedTask]] = {}
    for task in tasks:
        groups.setdefault(keys[task.file.path], []).append(task)
    yield from (group for group in groups.values() if len(group) > 1)


def _sharing_logs(tasks: Tasks, directories: Mapping[str, Path]) -> Iterator[Tasks]:
    """Those of one directory; and each with those that it lies in, for a second daemon's is in the first one's."""
    yield from _groups(tasks, directories)
    by_directory = {directories[task.file.path]: task for task in tasks}
    for task in tasks:
        for parent in directories[task.file.path].parents:
            if parent in by_directory:
                yield [by_directory[parent], task]


def _spokes_of_more_than_one_hub(tasks: Tasks, settings: Mapping[str, Settings]) -> Iterator[Tasks]:
    """The tasks of each spoke that another two-way task has for its spoke or its hub; the spoke's own task first."""
    mirrors = [task for task in tasks if settings[task.file.path].direction == "mirror"]
    for task in mirrors:
        spoke = _destination(settings[task.file.path])
        others = [
            other
            for other in mirrors
            if other is not task
            and spoke in (_source(settings[other.file.path]), _destination(settings[other.file.path]))
        ]
        if others:
            yield [task, *others]


def _tables(settings: Settings) -> Hashable:
    return _source(settings), _destination(settings)


def _destination(settings: Settings) -> Hashable:
    place = _place(settings.destination_region, settings.destination_endpoint, settings.destination_identity)
    return place, settings.destination_table


def _source(settings: Settings) -> Hashable:
    return _place(settings.source_region, settings.source_endpoint, settings.source_identity), settings.source_table


def _checkpoints(settings: Settings) -> Hashable:
    return _place(settings.kcl_region, settings.kcl_endpoint, settings.task_identity), settings.checkpoint_table


def _place(region: str, endpoint: str | None, identity: Identity) -> Hashable:
    """Equal for what is surely one region of one account; a role's account stands in its ARN."""
    account = identity.role_arn.split(":")[4] if identity.role_arn else identity.profile
    return region, endpoint, account


def _log_directory(settings: Settings) -> Path:
    # Unlike ``Path.resolve`` it takes links that go round, with which one task could end the look at all.
    return Path(os.path.realpath(Path(settings.log_directory) / settings.task_name))


def _named(tasks: Iterable[NamedTask]) -> str:
    return "tasks " + " and ".join(task.file.path for task in tasks)


def _places(tasks: Iterable[NamedTask], *names: str) -> str:
    """In brackets, where each of them has these settings."""
    found = [f"{name} {task.places[name]}" for task in tasks for name in names if name in task.places]
    return f" ({', '.join(found)})" if found else ""
