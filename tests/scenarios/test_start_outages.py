"""Outages at a start, on the real daemon: said, waited for, and never the end of it."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator

import pytest

from tests.fakes.aws.fake_sts import FakeSts
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.command import command, end_of
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Act
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair

MakeReplicator = Callable[..., Replicator]
ROLE = "arn:aws:iam::123456789012:role/reader"


@contextlib.contextmanager
def proxies(pair: Pair) -> Iterator[tuple[FaultProxy, FaultProxy, dict[str, str]]]:
    """Between the daemon and everything; settings that go through them: (source and checkpoints, destination)."""
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as source,
        FaultProxy(pair.settings["destinationEndpoint"]) as destination,
    ):
        through = {"sourceEndpoint": source.endpoint, "destinationEndpoint": destination.endpoint}
        yield source, destination, pair.settings | through


def test_a_start_waits_for_everything_that_is_away(pair: Pair, replicator: MakeReplicator) -> None:
    """Nothing answers: it is said at once, more rarely than it is tried, and the start goes on when all is back."""
    with proxies(pair) as (source, destination, settings):
        pair.put("before")
        with contextlib.ExitStack() as away:
            away.enter_context(source.away())
            away.enter_context(destination.away())
            running = replicator(settings).start()
            until(lambda: "WARNING start_delayed" in running.console, "a line on the console")
            for words in ("source table", "destination table", "checkpoint table", "sourceEndpoint", "kclEndpoint"):
                assert words in running.console
        pair.wait_for("before")
        assert running.events("start_delayed_over") or len(running.events("start_delayed")) == 1
        assert running.stop() == 0


PASSING: dict[str, Act] = {
    "throttled": faults.error("ThrottlingException"),
    "5xx": faults.error("InternalServerError"),
    "expired": faults.error("ExpiredTokenException"),
    "cut": faults.drop(),
    "not AWS's": faults.answer({}),
}


@pytest.mark.parametrize("operation", ["DescribeTable", "Scan"])
@pytest.mark.parametrize("act", PASSING.values(), ids=PASSING)
def test_check_tells_an_outage_from_what_is_wrong(pair: Pair, act: Act, operation: str) -> None:
    """What could not be looked at ends check with 5 and its name, not with 22."""
    with proxies(pair) as (source, _, settings):
        source.inject(act, operation)
        status, output, errors = end_of(command("check", settings))
        assert (status, "could not be looked at" in output) == (5, True), (output, errors)
        assert ("checkpoint table" if operation == "Scan" else "source table") in output


def test_what_a_person_must_put_right_comes_first(pair: Pair) -> None:
    """A missing destination beside an outage of the source is 22, and both are said."""
    with proxies(pair) as (source, _, settings):
        source.inject(faults.error("InternalServerError"), "Scan")
        status, output, errors = end_of(command("check", settings | {"destinationTable": "nowhere"}))
        assert status == 22
        assert "does not exist" in errors
        assert "not ready; could not be looked at: checkpoint table" in output


@pytest.mark.parametrize("name", ["copy", "verify", "redrive"])
def test_commands_tell_them_apart_too(pair: Pair, name: str) -> None:
    """An outage of the tables ends a command with 5, a missing table with 22."""
    settings = pair.settings | ({"deadLetterUri": "file:///nowhere/letters.jsonl"} if name == "redrive" else {})
    away = end_of(command(name, settings | {"destinationEndpoint": "http://127.0.0.1:9"}))
    assert (away[0], "could not be looked at" in away[2]) == (5, True), away
    missing = end_of(command(name, settings | {"destinationTable": "nowhere"}))
    assert (missing[0], "must be put right first" in missing[2]) == (22, True), missing


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException", "UnrecognizedClientException"])
def test_one_wrong_answer_ends_no_start(pair: Pair, replicator: MakeReplicator, code: str) -> None:
    """An answer that would be a person's to put right is looked at again before it is believed."""
    with proxies(pair) as (source, _, settings):
        pair.put("one")
        fault = source.inject(faults.error(code), "DescribeTable", times=2)
        running = replicator(settings).start()
        fault.wait(2)
        pair.wait_for("one")
        assert "Looking again for 10 s" in running.console
        assert running.stop() == 0


def test_a_denied_call_ends_with_22_once_it_is_believed(pair: Pair, replicator: MakeReplicator) -> None:
    """It is said at once, once, and the end comes when AWS has said so for ten seconds."""
    with proxies(pair) as (source, _, settings):
        fault = source.inject(faults.error("AccessDeniedException"), "DescribeTable")
        running = replicator(settings).start()
        assert running.wait() == 22
        assert fault.met > 2
        assert running.console.count("error   source table") == 1
        assert "1 thing above must be put right first" in running.console


@pytest.mark.parametrize("hung", [False, True], ids=["refused", "hung"])
def test_a_waiting_start_ends_at_once_with_0(pair: Pair, replicator: MakeReplicator, hung: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """SIGTERM while the start waits is a clean stop, and waits for no call under way."""
    with proxies(pair) as (source, _, settings):
        fault = source.inject(faults.hold() if hung else faults.error("InternalServerError"))
        running = replicator(settings).start()
        until(lambda: "WARNING start_delayed" in running.console, "a line on the console")
        begun = time.monotonic()
        assert running.stop() == 0
        assert not hung or time.monotonic() - begun < 25  # a call would take longer
        if hung:
            assert re.search(r"no answer yet: .*source table", running.console)
        fault.clear()


def test_sts_away_is_waited_for(pair: Pair, replicator: MakeReplicator) -> None:
    """A role that can't be assumed because STS is away is an outage; one that STS refuses is a person's."""
    with FakeSts({ROLE: "READER"}) as sts:
        sts.away = True
        settings = pair.settings | {"sourceRoleArn": ROLE}
        running = replicator(settings).start(environment=sts.environment)
        until(lambda: "WARNING start_delayed" in running.console, "a line on the console")
        until(lambda: len(sts.turned_away) > 2, "another try")
        assert running.process.poll() is None
        assert running.stop() == 0
        assert end_of(command("check", settings, environment=sts.environment))[0] == 5
        sts.away = False
        other = settings | {"sourceRoleArn": ROLE.replace("reader", "nobody")}
        assert end_of(command("check", other, environment=sts.environment))[0] == 22


def test_instance_metadata_away_is_waited_for(pair: Pair, replicator: MakeReplicator) -> None:
    """Credentials that a metadata service will give are waited for; where nothing is to give any, it ends with 22."""
    none = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    metadata = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"}
    running = replicator(pair.settings).start(environment=none | metadata)
    until(lambda: "WARNING start_delayed" in running.console, "a line on the console")
    assert "can't be fetched now" in running.console
    assert running.stop() == 0
    assert end_of(command("check", pair.settings, environment=none | metadata))[0] == 5
    container = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/credentials"}
    assert end_of(command("check", pair.settings, environment=none | container))[0] == 5
    assert end_of(command("check", pair.settings, environment=none))[0] == 22


AFTER_PYTHON: dict[str, tuple[Act, str]] = {
    "shards can't be listed": (faults.error("ThrottlingException"), "DescribeStream"),
    "leases can't be stored": (faults.error("InternalServerError"), "PutItem"),
    "the table can't be looked at": (faults.drop(), "DescribeTable"),
}


@pytest.mark.parametrize(("act", "operation"), AFTER_PYTHON.values(), ids=AFTER_PYTHON)
def test_an_outage_after_the_hand_over_ends_no_start(
    pair: Pair, replicator: MakeReplicator, act: Act, operation: str
) -> None:
    """What fails when the JVM begins is tried until it works, and said."""
    with proxies(pair) as (source, _, settings):
        pair.put("one")
        fault = source.inject(act, operation, when=lambda each: "aws-sdk-java" in each.headers.get("User-Agent", ""))
        running = replicator(settings).start()
        until(lambda: running.events("start_delayed"), "a line on the console")
        fault.wait(8)
        assert running.process.poll() is None
        fault.clear()
        pair.wait_for("one")
        assert running.stop() == 0


def test_sigterm_while_the_jvm_waits_is_a_clean_stop(pair: Pair, replicator: MakeReplicator) -> None:
    """KCL that can't begin has nothing to give back: it ends with 0."""
    with proxies(pair) as (source, _, settings):
        source.inject(
            faults.error("InternalServerError"),
            when=lambda each: "aws-sdk-java" in each.headers.get("User-Agent", ""),
        )
        running = replicator(settings).start()
        until(lambda: running.events("start_delayed"), "a line on the console")
        assert running.stop() == 0


def test_tables_that_are_there_need_no_right_to_be_made(pair: Pair, replicator: MakeReplicator) -> None:
    """CreateTable denied, as policy advises after the first start: a start with all tables there goes on."""
    with proxies(pair) as (source, _, settings):
        pair.put("one")
        first = replicator(settings, name="first").start()
        pair.wait_for("one")
        pair.wait_checkpoint()
        assert first.stop() == 0
        pair.source.delete_item(TableName=f"{pair.checkpoint_table}-Task", Key={"name": {"S": "task"}})
        fault = source.inject(faults.error("AccessDeniedException"), "CreateTable")
        pair.put("two")
        again = replicator(settings, name="again").start()
        pair.wait_for("two")
        assert (again.stop(), fault.met) == (0, 0)


def test_a_table_that_may_not_be_made_ends_with_22(pair: Pair, replicator: MakeReplicator) -> None:
    """A first start without that right says which call to allow: Python's for the task's table, the JVM's for KCL's."""
    with proxies(pair) as (source, _, settings):
        ours = source.inject(faults.error("AccessDeniedException"), "CreateTable")
        running = replicator(settings, name="ours").start()
        assert running.wait() == 22
        assert "CreateTable of task table" in running.console
        ours.clear()
        source.inject(
            faults.error("AccessDeniedException"),
            "CreateTable",
            when=lambda each: "aws-sdk-java" in each.headers.get("User-Agent", ""),
        )
        running = replicator(settings, name="theirs").start()
        assert running.wait() == 22
        assert "ERROR start_denied" in running.console
