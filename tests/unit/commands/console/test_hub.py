"""What tabs read: a page made once for all, only when it is another, and the newest alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec

from processor.commands.console import page
from processor.commands.console.hub import Hub
from processor.commands.console.known import Known
from tests.unit.commands.console.looks import known, shard

if TYPE_CHECKING:
    import pytest


async def _read(events: AsyncIterator[bytes]) -> list[tuple[str, Any]]:
    """What is told at once, in one write."""
    *told, rest = (await anext(events)).decode().split("\n\n")
    assert rest == ""
    found = []
    for each in told:
        name, data = each.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def _names(found: list[tuple[str, Any]]) -> list[str]:
    return [name for name, _ in found]


def _run(test: Callable[[Hub], Coroutine[Any, Any, None]], *tasks: Known) -> None:
    async def run() -> None:
        await test(Hub({each.topic: each for each in tasks or (known(),)}, stale_seconds=16))

    asyncio.run(run())


def test_a_tab_reads_a_page_and_then_only_what_changes() -> None:
    """A look that found the same is a beat, with its time."""

    async def test(hub: Hub) -> None:
        events = hub.events("")
        first = await _read(events)
        assert (_names(first), first[0][1]["verdict"]["word"]) == (["page", "beat"], "In sync")
        hub.publish(msgspec.structs.replace(known(), at_ms=5_000))
        (beat,) = await _read(events)
        assert (beat[0], beat[1]["at_ms"], beat[1]["stale_seconds"]) == ("beat", 5_000, 16)
        hub.publish(known(shard(lag_seconds=2.0)))
        assert (await _read(events))[0][1]["verdict"]["sentence"] == "The replica is 2.0 s behind."

    _run(test)


def test_a_tab_that_reads_slowly_reads_the_newest() -> None:
    """What it has missed is not kept for it."""

    async def test(hub: Hub) -> None:
        events = hub.events("")
        await _read(events)
        for seconds in range(1, 50):
            hub.publish(known(shard(lag_seconds=float(seconds))))
        found = await _read(events)
        assert found[0][1]["verdict"]["sentence"] == "The replica is 49.0 s behind."
        hub.close()
        assert _names(await _read(events)) == ["beat", "ended"]

    _run(test)


def test_a_hundred_tabs_are_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is laid out once for all that read it, and not at all where nobody does."""
    made: list[str] = []
    lay_out = page.of_task

    def counted(of: Known) -> page.TaskPage:
        made.append(of.topic)
        return lay_out(of)

    monkeypatch.setattr(page, "of_task", counted)

    async def test(hub: Hub) -> None:
        hub.publish(known())
        assert made == []
        tabs = [hub.events("") for _ in range(100)]
        for number in range(1, 4):
            await asyncio.gather(*(_read(tab) for tab in tabs))
            assert len(made) == number
            hub.publish(known(shard(lag_seconds=float(number))))

    _run(test)


def test_each_task_has_a_page_beside_the_list() -> None:
    """A task is found by its topic; another name is none."""

    async def test(hub: Hub) -> None:
        assert (await _read(hub.events("")))[0][1]["kind"] == "list"
        assert (await _read(hub.events("b")))[0][1]["name"] == "b"
        assert (hub.has(""), hub.has("a"), hub.has("c")) == (True, True, False)

    _run(test, known(name="a"), known(name="b"))


def test_tasks_come_and_go_while_tabs_are_open() -> None:
    """One that stays keeps what is known of it; a look at one that has gone, or was another, is too late."""

    async def test(hub: Hub) -> None:
        whole, one = hub.events(""), hub.events("b")
        await _read(whole)
        await _read(one)
        hub.replace({"a": known(shard(lag_seconds=9.0), name="a"), "c": known(name="c")})
        page_of_list = (await _read(whole))[0][1]
        assert [task["name"] for task in page_of_list["tasks"]] == ["a", "c"]
        assert {task["verdict"]["word"] for task in page_of_list["tasks"]} == {"In sync"}
        assert (await _read(one))[0][1]["verdict"]["word"] == "No task"
        assert (hub.has("b"), hub.has("c")) == (False, True)
        hub.publish(known(name="b"))
        other = known(shard(lag_seconds=9.0), name="c", settings={"destinationTable": "another"})
        hub.publish(other)
        assert _names(await _read(whole)) == ["beat"]
        hub.replace({})
        assert (await _read(whole))[0][1]["verdict"]["sentence"] == "There is no task's file any more."

    _run(test, known(name="a"), known(name="b"))


def test_tabs_are_counted_while_they_are_open() -> None:
    """The first one wakes whoever looks."""

    async def test(hub: Hub) -> None:
        with hub.tab(), hub.tab():
            assert (hub.tabs, hub.opened.is_set()) == (2, True)
        assert hub.tabs == 0

    _run(test)


def test_what_can_not_be_printed_is_shown_as_an_escape() -> None:
    """A name that turns the direction of writing, or ends a line, can't hide another; an event stays on its line."""

    async def test(hub: Hub) -> None:
        hub.publish(known(shard("shard\u202e\n\nevent: page\ndata: {}")))
        found, _ = await _read(hub.events(""))
        assert found[1]["shards"]["rows"][0]["id"] == "shard\\u202e\\u000a\\u000aevent: page\\u000adata: {}"

    _run(test)


def test_a_password_in_a_message_is_not_shown() -> None:
    """As in a log: an endpoint, or a proxy's address, may have one."""

    async def test(hub: Hub) -> None:
        hub.publish(known(shard(note="http://user:geheim@proxy:3128 does not answer")))
        found, _ = await _read(hub.events(""))
        assert "geheim" not in str(found)

    _run(test)
