"""How each kind of fault in ``plan.py`` is done."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

from tests.chaos.machine_faults import FILES, PROCESSES
from tests.chaos.plan import Step
from tests.chaos.stage import Done, NobodyError, Stage
from tests.chaos.task import Task
from tests.chaos.workload import KEPT
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Act, Exchange, Fault
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.faults.spoil import spoil

_WRITES = ("BatchWriteItem", "PutItem", "DeleteItem")
# A write that its client no longer waits for, and that lands after the next one of its key, is a wrong end that no
# client can prevent but in fenced mode. So a slow write is not done once its client has given up, and a duplicate lands
# before its client is answered, or late in fenced mode only.
_SLOW_SECONDS = 0.5
_LATE_SECONDS = 3.0


def do(stage: Stage, step: Step) -> Done:
    """Do a fault.

    :raises NobodyError: there is no process to do it to, or no shard
    """
    machine = stage.machines[step.machine]
    task = stage.tasks[step.task]
    whose = f", task {task.number}" if len(stage.tasks) > 1 else ""
    if step.name in PROCESSES:
        return PROCESSES[step.name](stage.machines, machine, step.seconds)
    if step.name in FILES:
        return FILES[step.name](stage, machine, task)
    if step.name in _SHARDS:
        return _SHARDS[step.name](stage, task)
    if step.name in _AWAY:
        return away(_AWAY[step.name](stage, task), f"all{whose}")
    if step.name in _ONCE:
        proxy, act, operation = _ONCE[step.name]
        when = task.destination.is_new if step.until_met and proxy is _destination else bool
        return met_by(f"whoever asks first{whose}", proxy(stage, task).inject(act, operation, when=when, times=1))
    proxy, act, operations, alone = _REQUESTS[step.name]
    when = (lambda exchange: exchange.access_key == machine.name) if alone else bool
    if step.name == "late-duplicates":
        when = can_come_late
    elif step.until_met and proxy is _destination:
        when = task.destination.is_new
    fault = proxy(stage, task).inject(act, *operations, when=when)
    return met_by((machine.name if alone else "all") + whose, fault)


# --- Shards ----------------------------------------------------------------------------------------------------------


def _simulator(stage: Stage, task: Task) -> StreamsSimulator:
    simulator = stage.sources[task.plan.stream].simulator
    if simulator is None:
        raise NobodyError
    return simulator


def _split(stage: Stage, task: Task) -> Done:
    children = _simulator(stage, task).split()
    return Done(f"{children[0].parent} into {' and '.join(child.id for child in children)}")


def _roll_over(stage: Stage, task: Task) -> Done:
    child = _simulator(stage, task).roll_over()
    return Done(f"{child.parent} into {child.id}")


def _calm(stage: Stage, task: Task) -> StreamsSimulator:
    """The simulator of a task's stream, where all that read it are in sync: nobody copies, and nothing is held.

    A copy that is under way would seem to have been begun before what is lost was written, a day ago as it were.

    :raises NobodyError: it is not simulated, or they aren't
    """
    if not all(each.is_in_sync() for each in _readers(stage, task)):
        raise NobodyError
    return _simulator(stage, task)


def _readers(stage: Stage, task: Task) -> list[Task]:
    return [each for each in stage.tasks if each.plan.stream == task.plan.stream]


def _lose(stage: Stage, task: Task) -> Done:
    """Nobody can read the stream, and then it has nothing of that time any more."""
    simulator = _calm(stage, task)
    for each in _readers(stage, task):
        each.age_copy()
    unreadable = _stream(stage, task).inject(faults.error("InternalServerError"), "GetRecords")

    def lose() -> None:
        simulator.trim()
        unreadable.clear()

    return Done(f"stream {task.plan.stream}", lose)


def _turn_off(stage: Stage, task: Task) -> Done:
    """The changes of that time are in no stream; the shards of the next one are others."""
    simulator = _calm(stage, task)
    shards = len(simulator.open_shards())
    simulator.disable_stream()

    def turn_on() -> None:
        simulator.recreate_stream(shards=shards)

    return Done(f"stream {task.plan.stream}", turn_on)


_SHARDS: dict[str, Callable[[Stage, Task], Done]] = {
    "split": _split,
    "roll-over": _roll_over,
    "loss": _lose,
    "stream-off-and-on": _turn_off,
}

# --- Requests --------------------------------------------------------------------------------------------------------


def met_by(whose: str, fault: Fault) -> Done:
    """Requests go wrong."""
    return Done(whose, fault.clear, lambda: fault.met > 0)


def away(proxy: FaultProxy, whose: str) -> Done:
    """Refuse connections."""
    outage = contextlib.ExitStack()
    outage.enter_context(proxy.away())
    return Done(whose, outage.close)


def can_come_late(exchange: Exchange) -> bool:
    """Puts of keys that are never deleted, and deletes: a condition on the sequence number stops those for good."""
    return exchange.operation == "DeleteItem" or b'"' + KEPT.encode() + b"-" in exchange.body


def slow(exchange: Exchange, fault: Fault) -> None:
    """Do it later, unless its client has given up by then."""
    fault.cleared.wait(_SLOW_SECONDS)
    if exchange.hung_up():
        exchange.drop()
    else:
        exchange.reply(exchange.forward(exchange.body))


def _destination(_: Stage, task: Task) -> FaultProxy:
    return task.destination


def _checkpoints(stage: Stage, _: Task) -> FaultProxy:
    return stage.checkpoints


def _stream(stage: Stage, task: Task) -> FaultProxy:
    return stage.streams[task.plan.stream]


_Proxy = Callable[[Stage, Task], FaultProxy]


_AWAY = {"destination-away": _destination, "checkpoints-away": _checkpoints, "stream-away": _stream}
_THROTTLED = faults.error("ProvisionedThroughputExceededException")
# proxy, what happens, to which operations (none named: all), to one machine's requests alone
_REQUESTS: dict[str, tuple[_Proxy, Act, tuple[str, ...], bool]] = {
    "answers-lost": (_destination, faults.drop(after=True), _WRITES, False),
    "requests-lost": (_destination, faults.drop(), _WRITES, False),
    "unprocessed": (_destination, faults.unprocessed(3), ("BatchWriteItem",), False),
    "throttle": (_destination, _THROTTLED, _WRITES, False),
    "server-errors": (_destination, faults.error("InternalServerError"), _WRITES, False),
    "expired-credentials": (_destination, faults.error("ExpiredTokenException"), (), True),
    "destination-cut-off": (_destination, faults.drop(), (), True),
    "slow-writes": (_destination, slow, _WRITES, False),
    "duplicates": (_destination, faults.duplicate(), _WRITES, False),
    "late-duplicates": (_destination, faults.duplicate(later_seconds=_LATE_SECONDS), ("PutItem", "DeleteItem"), False),
    "checkpoints-throttled": (_checkpoints, _THROTTLED, (), False),
    "checkpoints-cut-off": (_checkpoints, faults.drop(), (), True),
    "checkpoint-answers-lost": (_checkpoints, faults.drop(after=True), ("UpdateItem",), True),
    "stream-fails": (_stream, faults.error("InternalServerError"), (), False),
}

# --- One wrong answer ------------------------------------------------------------------------------------------------


def _spoiled(kind: str, number: int = 0) -> Act:
    """The answer that it would be, spoiled; left alone where it has nothing to spoil."""

    def act(exchange: Exchange, _: Fault) -> None:
        answer = exchange.forward(exchange.body)
        exchange.reply(spoil(answer, kind, number) or answer)

    return act


def _last_shard_missing(exchange: Exchange, _: Fault) -> None:
    answer = exchange.forward(exchange.body)
    content = json.loads(answer.body)
    content.get("StreamDescription", {}).get("Shards", [])[-1:] = []
    exchange.reply(answer._replace(body=json.dumps(content).encode()))


_NOT_FOUND = faults.error("ResourceNotFoundException")
# proxy, what happens, to the first request of which operation
_ONCE: dict[str, tuple[_Proxy, Act, str]] = {
    "no-iterator-once": (_stream, _spoiled("empty-list"), "GetRecords"),
    "nothing-once": (_stream, faults.answer({}), "GetRecords"),
    "records-not-found-once": (_stream, _NOT_FOUND, "GetRecords"),
    "iterator-not-found-once": (_stream, _NOT_FOUND, "GetShardIterator"),
    "stream-not-found-once": (_stream, _NOT_FOUND, "DescribeStream"),
    "no-shards-once": (_stream, _spoiled("empty-list"), "DescribeStream"),
    "shard-missing-once": (_stream, _last_shard_missing, "DescribeStream"),
    "no-lease-once": (_checkpoints, faults.answer({}), "GetItem"),
    "no-leases-once": (_checkpoints, _spoiled("empty-list"), "Scan"),
    "empty-answer-once": (_destination, faults.answer({}), "BatchWriteItem"),
}
