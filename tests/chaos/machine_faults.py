"""What can be done to a machine: to its processes, and to the files of its tasks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import psutil

from tests.chaos.files import TaskFiles
from tests.chaos.fleet import Machine
from tests.chaos.stage import Done, NobodyError, Stage
from tests.chaos.task import Task

Machines = Sequence[Machine]
_CARETAKER = "processor.caretaker.process"
_CARE_WORK = "processor.cli.of_task"


def _running(machine: Machine) -> Machine:
    if not machine.is_running:
        raise NobodyError
    return machine


def _kill_child(_: Machines, machine: Machine, __: float) -> Done:
    for child in _running(machine).replicator.children()[:1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
            return Done(machine.name)
    raise NobodyError


def _kill_nursery(_: Machines, machine: Machine, __: float) -> Done:
    with contextlib.suppress(psutil.NoSuchProcess):  # the daemon may end meanwhile
        if _running(machine).replicator.nurseries():
            machine.replicator.kill_nursery()
            return Done(machine.name)
    raise NobodyError


def _kill_daemon(_: Machines, machine: Machine, seconds: float) -> Done:
    _running(machine).down_seconds = seconds
    machine.kill()
    return Done(machine.name)


def _kill_oldest(machines: Machines, _: Machine, seconds: float) -> Done:
    running = [machine for machine in machines if machine.is_running]
    if not running:
        raise NobodyError
    return _kill_daemon(machines, min(running, key=lambda machine: machine.started_at), seconds)


def _restart(_: Machines, machine: Machine, seconds: float) -> Done:
    _running(machine).down_seconds = seconds
    machine.terminate()
    return Done(machine.name)


def _freeze(_: Machines, machine: Machine, __: float) -> Done:
    _running(machine).freeze(whole=True)
    return Done(machine.name, machine.thaw)


def _freeze_busiest(machines: Machines, _: Machine, seconds: float) -> Done:
    busiest = max(machines, key=lambda machine: len(machine.replicator.children()))
    return _freeze(machines, busiest, seconds)


def _freeze_child(_: Machines, machine: Machine, __: float) -> Done:
    if not _running(machine).replicator.children():
        raise NobodyError
    machine.freeze(whole=False)
    return Done(machine.name, machine.thaw)


def _kill_keeper(_: Machines, machine: Machine, __: float) -> Done:
    keeper = _running(machine).keeper()
    if keeper is None:
        raise NobodyError
    with contextlib.suppress(psutil.NoSuchProcess):
        keeper.kill()
    return Done(machine.name)


def _kill_caretaker(machines: Machines, _: Machine, __: float) -> Done:
    return _kill_one(machines, _CARETAKER)


def _kill_care_work(machines: Machines, _: Machine, __: float) -> Done:
    return _kill_one(machines, _CARE_WORK)


def _kill_one(machines: Machines, module: str) -> Done:
    """Of the first machine that has such a process: one caretaker of the fleet works."""
    for machine in machines:
        for process in machine.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                if module in process.cmdline():
                    process.kill()
                    return Done(machine.name)
    raise NobodyError


PROCESSES: dict[str, Callable[[Machines, Machine, float], Done]] = {
    "kill-child": _kill_child,
    "kill-nursery": _kill_nursery,
    "kill-keeper": _kill_keeper,
    "kill-daemon": _kill_daemon,
    "kill-oldest": _kill_oldest,
    "restart": _restart,
    "freeze": _freeze,
    "freeze-busiest": _freeze_busiest,
    "freeze-child": _freeze_child,
    "kill-caretaker": _kill_caretaker,
    "kill-care-work": _kill_care_work,
}

# --- Files -----------------------------------------------------------------------------------------------------------


def _its_files(machine: Machine, task: Task) -> TaskFiles:
    if machine.files is None or not machine.files.has(task.number):
        raise NobodyError
    return machine.files


def _remove(_: Stage, machine: Machine, task: Task) -> Done:
    files = _its_files(machine, task)
    files.remove(task.number)
    return Done(f"{machine.name}, task {task.number}", lambda: files.add(task.number))


def _change(_: Stage, machine: Machine, task: Task) -> Done:
    """Tasks that read other pages share none with the others."""
    files = _its_files(machine, task)
    files.change(task.number, batchSize="500")
    return Done(f"{machine.name}, task {task.number}", lambda: files.add(task.number))


def _cut(_: Stage, machine: Machine, task: Task) -> Done:
    files = _its_files(machine, task)
    files.cut(task.number)
    return Done(f"{machine.name}, task {task.number}", lambda: files.add(task.number))


def _add(stage: Stage, _: Machine, task: Task) -> Done:
    for machine in stage.machines:
        if machine.files is not None:
            machine.files.add(task.number)
    return Done(f"all, task {task.number}")


FILES: dict[str, Callable[[Stage, Machine, Task], Done]] = {
    "task-removed": _remove,
    "task-changed": _change,
    "task-cut": _cut,
    "task-added": _add,
}
