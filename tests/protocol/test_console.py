"""``run.sh console`` on a simulated stream, with a checkpoint table behind a proxy that counts what it is asked."""

from __future__ import annotations

import contextlib
import signal
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import javaproperties

from tests.fakes.console import Console
from tests.fakes.patience import until
from tests.protocol.test_status import READS, MakeStage, Stage, make_stage

__all__ = ["make_stage"]  # a fixture


def _file(stage: Stage, folder: Path) -> str:
    path = folder / "orders.properties"
    path.write_text(javaproperties.dumps(stage.given, timestamp=False))
    return str(path)


def _calls(stage: Stage) -> Counter[str]:
    return Counter(stage.proxy.received) + Counter(stage.simulator.received)


def test_a_page_is_made_by_reads_alone(make_stage: MakeStage, tmp_path: Path) -> None:
    """It shows what status does: what is pending, each shard's daemon and checkpoint; and a rate, by the next looks."""
    stage = make_stage(shards=2)
    stage.put(20)
    leases = stage.leases(checkpoints=stage.newest())
    stage.put(30)  # twenty of which are there already
    with Console(_file(stage, tmp_path), interval="1", maxLagSeconds="86400") as console, console.tab() as events:
        page = _until(events, lambda page: page["figures"])
        assert (page["verdict"]["word"], _figure(page, "pending")) == ("Healthy", "10")
        assert {row["daemon"] for row in page["shards"]["rows"]} == {"w-1"}
        assert {row["id"] for row in page["shards"]["rows"]} == {shard.id for shard in stage.simulator.shards()}
        newest = stage.newest()
        for shard, checkpoint in newest.items():
            leases.apply(shard, 25, checkpoint=checkpoint)
        page = _until(events, lambda page: page["verdict"]["word"] == "In sync")
        assert _figure(page, "pending") == "0"
        assert {row["checkpoint"] for row in page["shards"]["rows"]} == set(newest.values())
        assert sum(sample["applied"] or 0 for sample in page["samples"]) > 0
    assert _calls(stage).keys() <= READS


def _figure(page: dict[str, Any], name: str) -> str:
    return next(str(each["value"]) for each in page["figures"] if each["id"] == name)


def _until(events: Any, condition: Any) -> dict[str, Any]:
    for name, content in events:
        if name == "page" and condition(content):
            return dict(content)
    raise AssertionError("the stream has ended")


def test_a_hundred_tabs_cost_what_one_costs(make_stage: MakeStage, tmp_path: Path) -> None:
    """Each look is made once; while no tab is open, none is made for a minute."""
    stage = make_stage(shards=1)
    stage.put(5)
    stage.leases(checkpoints=stage.newest())
    with Console(_file(stage, tmp_path), interval="1") as console, ExitStack() as stack:
        first = stack.enter_context(console.tab())
        tabs = [stack.enter_context(console.tab()) for _ in range(99)]
        for tab in tabs:
            assert next(tab)[0] == "page"
        before = _calls(stage)
        looks = 0
        seen = None
        for name, content in first:
            if name == "beat" and content["at_ms"] != seen:
                seen, looks = content["at_ms"], looks + 1
            if looks == 5:
                break
        made = _calls(stage) - before
        # A look reads the task's row once; five beats are five looks, and two may have been under way at the ends.
        assert made["DescribeStream"] <= 7, made
        stack.close()
        until(lambda: _is_quiet(stage), "no more looks", pause_seconds=3)


def _is_quiet(stage: Stage) -> bool:
    before = _calls(stage)
    with contextlib.suppress(AssertionError):
        until(lambda: _calls(stage) != before, "a call", seconds=3)
    return _calls(stage) == before


def test_what_it_answers_to_whom(make_stage: MakeStage, tmp_path: Path) -> None:
    """Only GET, only by its own names, and nothing but the page's files."""
    stage = make_stage(shards=1)
    with Console(_file(stage, tmp_path), hostNames="replicas.example.com") as console:
        assert [console.status(path) for path in ("/", "/static/page.js", "/static/page.css")] == [200, 200, 200]
        for path in ("/static/../command.py", "/static/%2e%2e/command.py", "/x", "/?task=x", "/events?task=x"):
            assert console.status(path) == 404
        assert console.status("/", method="POST") == 405
        assert console.status("/events", headers={"Host": "evil.example"}) == 421
        assert console.status("/", headers={"Host": "replicas.example.com"}) == 200
        taken = Console.refused(_file(stage, tmp_path), "--port", console.address.rstrip("/").rpartition(":")[2])
        assert (taken[0], "can't be listened on" in taken[1]) == (22, True)
        assert console.stop() == (0, "")


def test_a_signal_from_a_parent_brings_tabs_a_last_look(make_stage: MakeStage, tmp_path: Path) -> None:
    """What has changed just before the end is shown, and the end is said."""
    stage = make_stage(shards=1)
    stage.put(1)
    leases = stage.leases(checkpoints=stage.newest())
    stage.put(6)
    with Console(_file(stage, tmp_path), interval="60") as console, console.tab() as events:
        page = _until(events, lambda page: page["figures"])
        assert _figure(page, "pending") == "5"
        for shard, checkpoint in stage.newest().items():
            leases.apply(shard, 5, checkpoint=checkpoint)
        console.send(signal.SIGTERM)
        rest = list(events)
        assert [name for name, _ in rest][-1] == "ended"
        assert _figure(next(page for name, page in reversed(rest) if name == "page"), "pending") == "0"
        assert console.stop() == (0, "")


def test_many_tasks_in_a_list_and_each_by_itself(make_stage: MakeStage, tmp_path: Path) -> None:
    """With the commands that mend each, as it is named on the command line."""
    stage = make_stage(shards=1)
    stage.leases()
    _file(stage, tmp_path)
    (tmp_path / "broken.properties").write_text("sourceTable=orders\n")
    (tmp_path / "common.properties").write_text("batchSize=100\n")
    with Console(str(tmp_path)) as console:
        assert "The console of 2 tasks is at " in console.said
        listed = console.page(level="bad")
        worst = listed["tasks"][0]
        assert (worst["name"], worst["verdict"]["word"]) == ("broken", "Unusable")
        assert console.page("orders")["verdict"]["level"] == "ok"
        assert console.page("broken")["verdict"]["sentence"].startswith("sourceRegion is not set")


def test_files_that_come_change_and_go_are_followed(make_stage: MakeStage, tmp_path: Path) -> None:
    """As the daemon follows them, without a word to the console; a tab of a task that goes says so, and stays."""
    stage = make_stage(shards=1)
    stage.leases()
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "broken.properties").write_text("sourceTable=orders\n")
    with Console(str(conf)) as console, console.tab() as events:
        assert "The console of 1 task is at " in console.said
        _until(events, lambda page: page["kind"] == "task" and page["verdict"]["word"] == "Unusable")
        orders = Path(_file(stage, conf))
        listed = _until(events, lambda page: page["kind"] == "list" and page["tasks"][-1]["verdict"]["level"] == "ok")
        assert [task["name"] for task in listed["tasks"]] == ["broken", "orders"]
        with console.tab("orders") as tab:
            _until(tab, lambda page: page["verdict"]["level"] == "ok")
            orders.write_text("sourceTable=orders\n")
            _until(tab, lambda page: page["verdict"]["word"] == "Unusable")
            orders.unlink()
            _until(tab, lambda page: page["verdict"]["word"] == "No task")
            assert console.status("/?task=orders") == 404
            _file(stage, conf)
            _until(tab, lambda page: page["verdict"]["level"] == "ok")
        for file in conf.iterdir():
            file.unlink()
        _until(events, lambda page: page["kind"] == "list" and page["verdict"]["word"] == "No task")
        assert console.stop()[0] == 0
