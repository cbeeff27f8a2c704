"""How each kind of fault in ``plan.py`` is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.disasters import away, can_come_late, met_by, slow
from tests.chaos.fleet import Machine
from tests.chaos.machine_faults import PROCESSES
from tests.chaos.plan import Step
from tests.chaos.proxies import CheckpointProxy
from tests.chaos.stage import Done
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Act, Exchange

_WRITES = ("PutItem", "UpdateItem", "DeleteItem")
_LATE_SECONDS = 1.0
_THROTTLED = faults.error("ProvisionedThroughputExceededException")
# What happens, to which operations (none named: all), to one machine's requests alone.
_REQUESTS: dict[str, tuple[Act, tuple[str, ...], bool]] = {
    "cut-off": (faults.drop(), (), True),
    "answers-lost": (faults.drop(after=True), _WRITES, False),
    "requests-lost": (faults.drop(), _WRITES, False),
    "throttle": (_THROTTLED, (*_WRITES, "GetItem"), False),
    "throttled": (_THROTTLED, (), False),
    "server-errors": (faults.error("InternalServerError"), (*_WRITES, "GetItem"), False),
    "expired-credentials": (faults.error("ExpiredTokenException"), (), True),
    "slow-writes": (slow, _WRITES, False),
    "slow-reads": (slow, ("GetItem",), False),
    "duplicates": (faults.duplicate(), _WRITES, False),
    "late-duplicates": (faults.duplicate(later_seconds=_LATE_SECONDS), _WRITES, False),
    "stream-fails": (faults.error("InternalServerError"), ("GetRecords", "GetShardIterator", "DescribeStream"), False),
}
_LEASE_ANSWERS_LOST = (faults.drop(after=True), ("UpdateItem",), True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """All that a fault can be done to."""

    machines: Sequence[Machine]
    sides: Mapping[str, FaultProxy]
    checkpoints: CheckpointProxy


def do(ways: Ways, step: Step) -> Done:
    """Do a fault.

    :raises NobodyError: there is no process to do it to
    """
    machine = ways.machines[step.machine]
    if step.name in PROCESSES:
        return PROCESSES[step.name](ways.machines, machine, step.seconds)
    whose, _, name = step.name.partition("-")
    proxy = ways.sides.get(whose, ways.checkpoints)
    if name == "away":
        return away(proxy, "all")
    act, operations, alone = _LEASE_ANSWERS_LOST if whose == "checkpoint" else _REQUESTS[name]

    def is_meant(exchange: Exchange) -> bool:
        if alone:
            return exchange.access_key == machine.name
        return step.name != "spoke-late-duplicates" or can_come_late(exchange)

    fault = proxy.inject(act, *operations, when=is_meant)
    return met_by(machine.name if alone else "all", fault)
