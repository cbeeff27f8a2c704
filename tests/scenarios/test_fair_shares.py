"""One daemon of several tasks, of which some have more to do than they can: the others go on beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from processor.state import leases
from tests.bench.task_directory import TaskDirectory
from tests.fakes.dynamodb.null_sink import NullSink
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.fakes.streams.recorded_stream import RecordedStream
from tests.scenarios.conftest import Pair, Servers

# More than is drained while anybody looks.
_BACKLOG = 10**8
_WRITES = 10
# Of Java's common pool, on which all tasks read their streams; 256 would take as many tasks that wait.
_TWO_SHARED_THREADS = {"javaOptions": "-Djava.util.concurrent.ForkJoinPool.common.parallelism=2"}


@pytest.fixture
def directory(servers: Servers, tmp_path: Path) -> Iterator[TaskDirectory]:
    """Of no task yet."""
    with TaskDirectory(servers, tmp_path) as made:
        yield made


def test_others_go_on_beside_a_backlog_and_a_lost_destination(
    directory: TaskDirectory, make_pair: Callable[[], Pair]
) -> None:
    """Each of their writes arrives while one drains a backlog, one is throttled, and one's destination is silent."""
    others = [make_pair(), make_pair()]
    with ExitStack() as stack:
        source = stack.enter_context(RecordedStream(records=_BACKLOG))
        draining, throttling, silent = (
            stack.enter_context(NullSink(**how)) for how in ({}, {"throttled": 1.0}, {"unanswered": 1.0})
        )
        for number, sink in enumerate((draining, throttling, silent)):
            directory.add(f"busy-{number}", {**source.settings, **sink.settings})
        for number, pair in enumerate(others):
            directory.add_as_it_is(f"other-{number}", pair.settings)
        directory.start()
        for sink, what in ((draining, "items"), (throttling, "throttled"), (silent, "unanswered")):
            until(lambda sink=sink, what=what: sink.counts().get(what), f"a destination has {what}")
        drained = draining.counts()["items"]
        for number in range(_WRITES):
            for pair in others:
                pair.put(f"item-{number}")
                pair.wait_for(f"item-{number}")
        assert drained < draining.counts()["items"] < _BACKLOG  # it goes on, too
        assert "task_ended" not in directory.console


def test_tasks_that_wait_at_their_start_hold_no_other(
    directory: TaskDirectory, servers: Servers, make_pair: Callable[[], Pair]
) -> None:
    """KCL's tables can't be used for some; they wait on threads of their own, not on those that Java has for all."""
    waiting, free = [make_pair(), make_pair()], make_pair()
    with FaultProxy(servers.source) as checkpoints:
        checkpoints.inject(
            faults.error("ThrottlingException"), "PutItem", when=lambda exchange: b"-CoordinatorState" in exchange.body
        )
        for number, pair in enumerate(waiting):
            settings = {**pair.settings, "kclEndpoint": checkpoints.endpoint, **_TWO_SHARED_THREADS}
            directory.add_as_it_is(f"waiting-{number}", settings)
        directory.start()
        until(lambda: directory.console.count(" start_delayed ") >= len(waiting), "tasks that wait")
        directory.add_as_it_is("free", {**free.settings, **_TWO_SHARED_THREADS})
        free.put("item")
        free.wait_for("item")
        assert directory.stop() == 0  # they heed it, too


def test_a_task_s_end_leaves_the_threads_of_others(directory: TaskDirectory, make_pair: Callable[[], Pair]) -> None:
    """Also that of the first one, which was the first to use what all of them do, and of the last one."""
    pairs = {name: make_pair() for name in ("first", "second", "third")}

    def begins(name: str) -> None:
        directory.add_as_it_is(name, pairs[name].settings)
        pairs[name].put("item")
        pairs[name].wait_for("item")

    def ends(name: str) -> None:
        directory.remove(name)
        pair = pairs[name]
        until(
            lambda: {lease.owner for lease in leases.read(pair.source, pair.checkpoint_table) or []} == {None},
            f"{name}'s leases given back",
        )

    directory.add_as_it_is("first", pairs["first"].settings)
    directory.start()
    begins("first")
    begins("second")
    ends("first")
    pairs["second"].put("again")
    pairs["second"].wait_for("again")
    ends("second")
    begins("third")
    assert directory.console.count(" ERROR ") == 0, directory.console


def test_a_backlog_is_read_once_for_all_tasks(directory: TaskDirectory) -> None:
    """A daemon begins its tasks one after the other; who begins later gets what the first has read."""
    records, tasks = 40_000, 4
    with RecordedStream(records=records) as source, NullSink() as sink:
        for number in range(tasks):
            directory.add(f"task-{number}", {**source.settings, **sink.settings})
        directory.start()
        until(lambda: sink.counts().get("items", 0) >= tasks * records, "all at all destinations")
        assert source.counts()["records"] < 1.5 * records  # by themselves they read it four times
