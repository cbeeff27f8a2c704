"""How each kind of fault in ``plan.py`` is done."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil

from tests.chaos.fleet import Machine
from tests.chaos.plan import Step
from tests.chaos.proxies import CheckpointProxy, DestinationProxy
from tests.chaos.sources import Source
from tests.chaos.workload import KEPT
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Act, Exchange, Fault
from tests.faults.spoil import spoil

_WRITES = ("BatchWriteItem", "PutItem", "DeleteItem")
# A write that its client no longer waits for, and that lands after the next one of its key, is a wrong end that no
# client can prevent but in fenced mode. So a slow write is not done once its client has given up, and a duplicate lands
# before its client is answered, or late in fenced mode only.
_SLOW_SECONDS = 0.5
_LATE_SECONDS = 3.0


class NobodyError(Exception):
    """There is nothing that this fault could be done to now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All that a fault can be done to."""

    machines: Sequence[Machine]
    source: Source
    destination: DestinationProxy
    checkpoints: CheckpointProxy
    stream: FaultProxy


Undo = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Done:
    """A fault that goes on until ``undo`` is called."""

    detail: str
    undo: Undo | None = None


def do(stage: Stage, step: Step) -> Done:
    """Do a fault.

    :raises NobodyError: there is no process to do it to, or no shard
    """
    machine = stage.machines[step.machine]
    if step.name in _PROCESSES:
        return _PROCESSES[step.name](stage, machine, step.seconds)
    if step.name in _SHARDS:
        return _SHARDS[step.name](stage)
    if step.name in _AWAY:
        return _away(_AWAY[step.name](stage))
    if step.name in _ONCE:
        proxy, act, operation = _ONCE[step.name]
        return Done("whoever asks first", proxy(stage).inject(act, operation, times=1).clear)
    proxy, act, operations, alone = _REQUESTS[step.name]
    when = (lambda exchange: exchange.access_key == machine.name) if alone else bool
    if step.name == "late-duplicates":
        when = _can_come_late
    fault = proxy(stage).inject(act, *operations, when=when)
    return Done(machine.name if alone else "all", fault.clear)


# --- Processes -------------------------------------------------------------------------------------------------------


def _running(machine: Machine) -> Machine:
    if not machine.is_running:
        raise NobodyError
    return machine


def _kill_child(_: Stage, machine: Machine, __: float) -> Done:
    for child in _running(machine).replicator.children()[:1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
            return Done(machine.name)
    raise NobodyError


def _kill_nursery(_: Stage, machine: Machine, __: float) -> Done:
    with contextlib.suppress(psutil.NoSuchProcess):  # the daemon may end meanwhile
        if _running(machine).replicator.nurseries():
            machine.replicator.kill_nursery()
            return Done(machine.name)
    raise NobodyError


def _kill_daemon(_: Stage, machine: Machine, seconds: float) -> Done:
    _running(machine).down_seconds = seconds
    machine.kill()
    return Done(machine.name)


def _kill_oldest(stage: Stage, _: Machine, seconds: float) -> Done:
    running = [machine for machine in stage.machines if machine.is_running]
    if not running:
        raise NobodyError
    return _kill_daemon(stage, min(running, key=lambda machine: machine.started_at), seconds)


def _restart(_: Stage, machine: Machine, seconds: float) -> Done:
    _running(machine).down_seconds = seconds
    machine.terminate()
    return Done(machine.name)


def _freeze(_: Stage, machine: Machine, __: float) -> Done:
    _running(machine).freeze(whole=True)
    return Done(machine.name, machine.thaw)


def _freeze_busiest(stage: Stage, _: Machine, seconds: float) -> Done:
    busiest = max(stage.machines, key=lambda machine: len(machine.replicator.children()))
    return _freeze(stage, busiest, seconds)


def _freeze_child(_: Stage, machine: Machine, __: float) -> Done:
    if not _running(machine).replicator.children():
        raise NobodyError
    machine.freeze(whole=False)
    return Done(machine.name, machine.thaw)


_PROCESSES: dict[str, Callable[[Stage, Machine, float], Done]] = {
    "kill-child": _kill_child,
    "kill-nursery": _kill_nursery,
    "kill-daemon": _kill_daemon,
    "kill-oldest": _kill_oldest,
    "restart": _restart,
    "freeze": _freeze,
    "freeze-busiest": _freeze_busiest,
    "freeze-child": _freeze_child,
}

# --- Shards ----------------------------------------------------------------------------------------------------------


def _split(stage: Stage) -> Done:
    if stage.source.simulator is None:
        raise NobodyError
    children = stage.source.simulator.split()
    return Done(f"{children[0].parent} into {' and '.join(child.id for child in children)}")


def _roll_over(stage: Stage) -> Done:
    if stage.source.simulator is None:
        raise NobodyError
    child = stage.source.simulator.roll_over()
    return Done(f"{child.parent} into {child.id}")


_SHARDS: dict[str, Callable[[Stage], Done]] = {"split": _split, "roll-over": _roll_over}

# --- Requests --------------------------------------------------------------------------------------------------------


def _away(proxy: FaultProxy) -> Done:
    outage = contextlib.ExitStack()
    outage.enter_context(proxy.away())
    return Done("all", outage.close)


def _can_come_late(exchange: Exchange) -> bool:
    """Puts of keys that are never deleted, and deletes: a condition on the sequence number stops those for good."""
    return exchange.operation == "DeleteItem" or b'"' + KEPT.encode() + b"-" in exchange.body


def _slow(exchange: Exchange, fault: Fault) -> None:
    fault.cleared.wait(_SLOW_SECONDS)
    if exchange.hung_up():
        exchange.drop()
    else:
        exchange.reply(exchange.forward(exchange.body))


def _destination(stage: Stage) -> FaultProxy:
    return stage.destination


def _checkpoints(stage: Stage) -> FaultProxy:
    return stage.checkpoints


def _stream(stage: Stage) -> FaultProxy:
    return stage.stream


_AWAY = {"destination-away": _destination, "checkpoints-away": _checkpoints, "stream-away": _stream}
_THROTTLED = faults.error("ProvisionedThroughputExceededException")
# proxy, what happens, to which operations (none named: all), to one machine's requests alone
_REQUESTS: dict[str, tuple[Callable[[Stage], FaultProxy], Act, tuple[str, ...], bool]] = {
    "answers-lost": (_destination, faults.drop(after=True), _WRITES, False),
    "requests-lost": (_destination, faults.drop(), _WRITES, False),
    "unprocessed": (_destination, faults.unprocessed(3), ("BatchWriteItem",), False),
    "throttle": (_destination, _THROTTLED, _WRITES, False),
    "server-errors": (_destination, faults.error("InternalServerError"), _WRITES, False),
    "expired-credentials": (_destination, faults.error("ExpiredTokenException"), (), True),
    "destination-cut-off": (_destination, faults.drop(), (), True),
    "slow-writes": (_destination, _slow, _WRITES, False),
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
_ONCE: dict[str, tuple[Callable[[Stage], FaultProxy], Act, str]] = {
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
